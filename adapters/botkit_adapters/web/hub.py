"""What is going on in the conversations that this process shows or works on.

Pages may be connected to another process than the one that writes their reply. So whoever writes
tells the store how far it is, and whoever shows looks there, for all conversations at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator

from botkit.adapter import Intake
from botkit.errors import StoreError
from botkit.feed import Feed, FeedEntry, FeedHead
from botkit.types import ConversationKey, Event
from botkit_adapters.errands import Errands
from botkit_adapters.web.scene import Scene

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Between two looks at what other processes do."""

FIRST_TOLD_SECONDS = 0.5
TOLD_SECONDS = 1.0
"""Between two times that other processes are told of a draft."""

BEAT_SECONDS = 2.0
"""After which they are told that it goes on, though nothing is new."""

SETTLE_SECONDS = 1.0
"""For a turn's reply to be added after its end; then it has none."""

CUT_SECONDS = 3.0
"""For telling to come to its end: what is told too late would be taken for news."""


class Hub:
    """Scenes by conversation.

    Args:
        intake: Where the feeds are.

    Fields:
        closed: The server stops: whoever watches a scene leaves.
    """

    def __init__(self, intake: Intake) -> None:
        self.closed = False
        self._intake = intake
        self._scenes: dict[ConversationKey, Scene] = {}
        self._errands = Errands()
        self._something = asyncio.Event()
        self._closing = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look at what other processes do."""
        self._looking = asyncio.create_task(self._look_now_and_then())

    async def aclose(self) -> None:
        """Let everybody go."""
        self.leave()
        self._closing.set()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._errands.aclose()

    def leave(self) -> None:
        """The server stops."""
        self.closed = True
        for scene in self._scenes.values():
            scene.changed()

    @property
    def scenes(self) -> int:
        """How many are kept in memory."""
        return len(self._scenes)

    # Scenes

    @contextlib.contextmanager
    def watching(self, conversation: ConversationKey) -> Iterator[tuple[Scene, asyncio.Event]]:
        """The scene while somebody shows it, and what is set when it changes."""
        with self._held(conversation) as scene, scene.watched() as changed:
            yield scene, changed

    def scene(self, conversation: ConversationKey) -> Scene:
        """The scene as it is; one that nobody watches or works on is soon forgotten."""
        scene = self._scenes.get(conversation)
        if scene is None:
            scene = self._scenes[conversation] = Scene(conversation)
            self._something.set()
        return scene

    @contextlib.contextmanager
    def _held(self, conversation: ConversationKey) -> Iterator[Scene]:
        scene = self.scene(conversation)
        try:
            yield scene
        finally:
            self._drop_idle(scene)

    def _drop_idle(self, scene: Scene) -> None:
        if not scene.busy and self._scenes.get(scene.conversation) is scene:
            del self._scenes[scene.conversation]

    # What happens here

    def said(self, conversation: ConversationKey, head: FeedHead, entry: FeedEntry) -> None:
        """A person said something."""
        with self._held(conversation) as scene:
            scene.said(head, entry)

    def answered(self, conversation: ConversationKey, head: FeedHead, entry: FeedEntry) -> None:
        """A reply was added."""
        with self._held(conversation) as scene:
            scene.answered(head, entry)

    def added(self, conversation: ConversationKey, head: FeedHead, entry: FeedEntry) -> None:
        """Something was added that is neither."""
        with self._held(conversation) as scene:
            scene.added(head, entry)

    def over(self, conversation: ConversationKey, entry: str) -> None:
        """What answers an entry is not to be shown."""
        with self._held(conversation) as scene:
            scene.over(entry)

    def stop(self, conversation: ConversationKey, entry: str) -> None:
        """The person wants what answers an entry ended."""
        with self._held(conversation) as scene:
            scene.end(entry)

    async def work(self, event: Event, entry: str) -> None:
        """Show that a turn runs here, in other processes too, until cancelled."""
        with self._held(event.conversation) as scene:
            scene.began(entry)
            try:
                await self._tell(scene)
            finally:
                scene.ended()
                self._errands.begin(self._settle(scene))

    async def _tell(self, scene: Scene) -> None:
        """Tell other processes how far it is, until cancelled."""
        told: object = None
        told_at = 0.0
        pause = FIRST_TOLD_SECONDS
        while True:
            await asyncio.sleep(pause)
            now = scene.tells()
            if now != told or time.monotonic() - told_at >= BEAT_SECONDS - TOLD_SECONDS / 2:
                told, told_at, pause = now, time.monotonic(), TOLD_SECONDS
                beating = {**now, "beat": time.time()}
                telling = self._errands.begin(self._feed.tell(scene.conversation, beating))
                try:
                    head = await asyncio.shield(telling)
                except StoreError:
                    continue
                except asyncio.CancelledError:
                    await asyncio.wait({telling}, timeout=CUT_SECONDS)
                    raise
                scene.heard(head)

    async def _settle(self, scene: Scene) -> None:
        """Where a turn left no reply, say so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._closing.wait()
        if scene.turns or scene.state != "working":
            return
        try:
            over = {"state": "idle", "reply_to": scene.reply_to}
            await self._feed.tell(scene.conversation, over)
        except StoreError as error:
            logger.warning("web: the end of a turn was not told: %s", error)
        scene.rest()

    # What happens elsewhere

    @property
    def _feed(self) -> Feed:
        return self._intake.feed

    async def _look_now_and_then(self) -> None:
        while True:
            if not self._scenes:
                self._something.clear()
                await self._something.wait()
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except StoreError as error:
                logger.warning("web: cannot look for news: %s", error)
            except Exception:
                logger.exception("web: looking for news failed")

    async def _look(self) -> None:
        heads = await self._feed.heads(list(self._scenes))
        for conversation, scene in list(self._scenes.items()):
            scene.heard(heads.get(conversation, FeedHead()))
            scene.forget_queued()
            self._drop_idle(scene)
