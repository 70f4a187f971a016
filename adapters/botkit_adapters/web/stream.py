"""``GET /web/stream``: server-sent events.

Source: WHATWG HTML, 9.2 "Server-sent events".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from botkit.adapter import Intake
from botkit.errors import StoreError
from botkit.feed import FeedEntry
from botkit.server.sse import HEADERS, write
from botkit_adapters.web.cursor import Cursor
from botkit_adapters.web.door import CORS
from botkit_adapters.web.follower import BYE, PING, Follower
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.messages import event_of
from botkit_adapters.web.options import DAY
from botkit_adapters.web.refusals import RefusalError, invalid
from botkit_adapters.web.session import Session
from botkit_adapters.web.sessions import Sessions

logger = logging.getLogger(__name__)

STREAMS = 10
"""Of one session: a tab has one."""

PING_SECONDS = 15.0
DEAD_SECONDS = 45.0
"""After which a connection whose other end says nothing at all is closed (TCP_USER_TIMEOUT)."""

FRAME_SECONDS = 0.02
"""Between two pieces of news: a screen shows no more of them, and many visitors share a process."""

AGAIN_SECONDS = 1.0
"""Until what could not be read is read again."""


class Streams:
    """Open streams.

    Args:
        intake: Where conversations are kept.
        hub: What goes on in them.
        sessions: Who may see them.
    """

    def __init__(self, intake: Intake, hub: Hub, sessions: Sessions) -> None:
        self._intake = intake
        self._hub = hub
        self._sessions = sessions
        self._open: Counter[str] = Counter()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """All that a page lacks of its conversation, now and as it comes."""
        session = await self._sessions.of(request)
        asked = request.query.get("session")
        if asked is None:
            raise invalid("session: Field required")
        if asked != session.id:
            raise RefusalError(403, "other_session", "That is somebody else's conversation.")
        tokens = await self._sessions.tokens()
        cursor = Cursor.parse(request.headers.get("Last-Event-ID", ""))
        with self._counted(session), self._hub.watching(session.conversation) as (scene, changed):
            follower = Follower(scene, self._intake.feed, tokens, session, cursor)
            first = await follower.missing()
            await self._accept(follower.unanswered, session)
            cors = request[CORS]
            response = web.StreamResponse(headers={**HEADERS, **cors})
            await response.prepare(request)
            _expect_life(request)
            await write(request, response, first or PING)
            await self._follow(request, response, follower, changed)
        return response

    async def _accept(self, entry: FeedEntry | None, session: Session) -> None:
        """Have answered what a process kept that ended before it could hand it on. An event that
        was handed on is dropped, for longer than is looked back here."""
        if entry is not None and time.time() - entry.at < DAY:
            await self._intake.accept([event_of(entry, session)])

    async def _follow(
        self,
        request: web.Request,
        response: web.StreamResponse,
        follower: Follower,
        changed: asyncio.Event,
    ) -> None:
        while not self._hub.closed:
            if not await _happens(changed):
                await write(request, response, PING)
                continue
            changed.clear()
            if news := await self._news(follower, changed):
                await write(request, response, news)
                await asyncio.sleep(FRAME_SECONDS)
        await write(request, response, BYE)

    async def _news(self, follower: Follower, changed: asyncio.Event) -> bytes:
        try:
            return await follower.missing()
        except StoreError as error:
            logger.warning("web: a stream waits for the store: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)
            changed.set()
            return PING

    @contextlib.contextmanager
    def _counted(self, session: Session) -> Iterator[None]:
        if self._open[session.id] >= STREAMS:
            message = "This conversation is open in too many windows."
            raise RefusalError(429, "rate_limited", message, retry_after=PING_SECONDS)
        self._open[session.id] += 1
        try:
            yield
        finally:
            self._open[session.id] -= 1
            if not self._open[session.id]:
                del self._open[session.id]


async def _happens(changed: asyncio.Event) -> bool:
    """Wait for news; False when it is time for a ping."""
    if changed.is_set():
        return True
    try:
        async with asyncio.timeout(PING_SECONDS):
            return await changed.wait()
    except TimeoutError:
        return False


def _expect_life(request: web.Request) -> None:
    """Have the system close the connection when the other end is gone without a word."""
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if connection is not None and option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, int(1000 * DEAD_SECONDS))
