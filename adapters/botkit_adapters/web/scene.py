"""What is going on in one conversation, as far as this process knows."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from botkit.feed import FeedEntry, FeedHead
from botkit.types import ConversationKey, Json

State = Literal["idle", "queued", "working"]

RECENT = 16
"""Entries that are given to pages as they were added, without reading them back."""

QUEUED_SECONDS = 300.0
"""A message of which nothing was heard for so long is not shown as waiting any more."""

TOLD_SECONDS = 6.0
"""For which what another process told is true when it has stopped to tell anything new."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply as it is written.

    Fields:
        id: Another one whenever the text does not merely go on.
        reply_to: The entry that it answers.
        text: All of it so far.
    """

    id: str
    reply_to: str
    text: str


def new_draft(reply_to: str, text: str) -> Draft:
    """A draft that begins; no other process has one of this id."""
    return Draft(f"d{secrets.token_hex(6)}", reply_to, text)


@dataclass(eq=False)
class Scene:
    """One conversation. Who shows it compares this with what it has shown.

    Fields:
        conversation: Which.
        head: The newest that was heard of its feed.
        state: What the bot does, for ``reply_to``.
        draft: What it writes.
        stop: The entry whose answer the person wants ended, and what is set when there is another.
        turns: How many turns of this process work on it: 0 or 1.
        recent: Entries that this process added lately, with their epoch.
        queued: Entries that wait for their turn, and since when.
    """

    conversation: ConversationKey
    head: FeedHead = field(default_factory=FeedHead)
    state: State = "idle"
    reply_to: str = ""
    draft: Draft | None = None
    stop: str = ""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    turns: int = 0
    recent: deque[tuple[int, FeedEntry]] = field(default_factory=lambda: deque(maxlen=RECENT))
    queued: dict[str, float] = field(default_factory=dict)
    _told_at: float = -1.0
    _live: Json | None = None
    _watchers: set[asyncio.Event] = field(default_factory=set)

    @contextlib.contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Something that is set whenever anything changes."""
        changed = asyncio.Event()
        changed.set()
        self._watchers.add(changed)
        try:
            yield changed
        finally:
            self._watchers.discard(changed)

    @property
    def busy(self) -> bool:
        """Whether anybody watches it, works on it, or waits."""
        return bool(self._watchers or self.turns or self.queued or self.state == "working")

    def changed(self) -> None:
        """Wake everybody who watches."""
        for watcher in self._watchers:
            watcher.set()

    # What this process does

    def said(self, head: FeedHead, entry: FeedEntry) -> None:
        """The person said something, which waits for its turn."""
        self._added(head, entry)
        if entry.seq == head.seq:
            self.queued[entry.key] = time.monotonic()
            if self.state != "working":
                self._rest()
        self.changed()

    def unanswered(self, head: FeedHead, entry: FeedEntry) -> None:
        """What the person said last has no answer, as far as the feed tells."""
        live = head.live if isinstance(head.live, dict) else {}
        over = live.get("state") == "idle" and live.get("reply_to") == entry.key
        late = time.time() - entry.at > QUEUED_SECONDS
        if self.state == "idle" and not over and not late:
            self.queued[entry.key] = time.monotonic()
            self._rest()
            self.changed()

    def began(self, reply_to: str) -> None:
        """A turn of this process begins."""
        self.turns += 1
        self._answering(reply_to)
        self.state, self.reply_to, self.draft = "working", reply_to, None
        self.changed()

    def ended(self) -> None:
        """It has ended; what it leaves is still to be added."""
        self.turns -= 1
        self._told_at = time.monotonic()

    def show(self, before: Draft | None, reply_to: str, text: str) -> Draft:
        """Show ``text``, all of a reply so far; ``before`` is what this returned the last time."""
        goes_on = before is not None and before is self.draft and text.startswith(before.text)
        if before is not None and goes_on:
            self.draft = Draft(before.id, reply_to, text)
        else:
            self.draft = new_draft(reply_to, text)
        self.changed()
        return self.draft

    def answered(self, head: FeedHead, entry: FeedEntry) -> None:
        """A reply was added to the feed."""
        self._added(head, entry)
        self.over(str(entry.value.get("reply_to", "")))

    def added(self, head: FeedHead, entry: FeedEntry) -> None:
        """Something was added that nobody waits for."""
        self._added(head, entry)
        self.changed()

    def over(self, reply_to: str) -> None:
        """Nothing more is written for that entry, unless its turn goes on here."""
        self._answering(reply_to)
        if self.draft is not None and self.draft.reply_to == reply_to:
            self.draft = None
        if not self.turns and self.reply_to == reply_to:
            self._rest()
        self.changed()

    def end(self, entry: str) -> None:
        """The person wants what answers that entry ended."""
        if entry != self.stop:
            self.stop = entry
            self.stopping.set()

    def rest(self) -> None:
        """Nothing is worked on."""
        if not self.turns:
            self.draft = None
            self._rest()
            self.changed()

    # What other processes tell

    def heard(self, head: FeedHead) -> None:
        """What a look into the store has shown."""
        if head.epoch == self.head.epoch and head.seq < self.head.seq:
            return  # older than what this process has done meanwhile
        if not head.epoch and self._says_farewell():
            return
        news = (head.epoch, head.seq) != (self.head.epoch, self.head.seq)
        self.head = head
        if head.stop:
            self.end(head.stop)
        if not self.turns:
            news |= self._follow(head.live)
        if news:
            self.changed()

    def _follow(self, live: Json | None) -> bool:
        """Do as the process that works on it; whether anything is new."""
        before = (self.state, self.reply_to, self.draft)
        now = time.monotonic()
        if isinstance(live, dict) and live != self._live:
            self._told_at = now
            self._told(live)
        elif self.state == "working" and now - self._told_at > TOLD_SECONDS:
            self.draft = None
            self._rest()
        self._live = live
        return before != (self.state, self.reply_to, self.draft)

    def _told(self, live: dict[str, Json]) -> None:
        reply_to = str(live.get("reply_to", ""))
        self._answering(reply_to)
        if live.get("state") != "working":
            if reply_to == self.reply_to:
                self.draft = None
                self._rest()
            return
        self.state, self.reply_to = "working", reply_to
        draft = Draft(str(live.get("draft", "")), reply_to, str(live.get("text", "")))
        shown = self.draft
        if draft.id and not (shown and shown.id == draft.id and shown.text.startswith(draft.text)):
            self.draft = draft

    def tells(self) -> dict[str, Json]:
        """What other processes are to know."""
        told: dict[str, Json] = {"state": self.state, "reply_to": self.reply_to}
        if self.draft is not None:
            told |= {"draft": self.draft.id, "text": self.draft.text}
        return told

    def forget_queued(self) -> None:
        """Drop what has waited for too long to be waiting yet."""
        now = time.monotonic()
        late = [key for key, since in self.queued.items() if now - since > QUEUED_SECONDS]
        for key in late:
            del self.queued[key]
        if late and self.state == "queued":
            self._rest()
            self.changed()

    def _added(self, head: FeedHead, entry: FeedEntry) -> None:
        if head.epoch != self.head.epoch:
            self.recent.clear()
        if head.epoch != self.head.epoch or head.seq > self.head.seq:
            self.head = head
        if entry.seq == head.seq:
            self.recent.append((head.epoch, entry))

    def added_after(self, epoch: int, seq: int) -> list[FeedEntry] | None:
        """All that came after a number, where this process has added all of it."""
        if epoch != self.head.epoch:
            return None
        added = {entry.seq: entry for of, entry in self.recent if of == epoch and entry.seq > seq}
        wanted = range(seq + 1, self.head.seq + 1)
        return [added[each] for each in wanted] if all(each in added for each in wanted) else None

    def _says_farewell(self) -> bool:
        """Whether all that there was is what the bot said last: that everything is forgotten. The
        feed has gone with the rest, and whoever is there may read it all the same."""
        added = self.added_after(self.head.epoch, 0) or ()
        return bool(added) and all(entry.value.get("role") == "assistant" for entry in added)

    def _answering(self, reply_to: str) -> None:
        """What was said before it waits no more either."""
        if reply_to in self.queued:
            for key in list(self.queued):
                del self.queued[key]
                if key == reply_to:
                    break

    def _rest(self) -> None:
        if self.turns:
            return
        last = next(reversed(self.queued), "")
        self.state, self.reply_to = ("queued", last) if last else ("idle", "")
