"""Turns run inside a request: a signed push to ``/internal/turns``.

Platforms that freeze a process after its response (AWS Lambda, Cloud Run with request billing) give
no time to answer in. There, whoever accepts an event pushes its conversation to this route, and the
request lasts until the turn is done.

The signature is that of Slack's and Stripe's webhooks: HMAC-SHA256 over ``timestamp.body``, taken
for five minutes. A push that comes twice changes nothing: leases see to that.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from botkit.errors import SettingsError, StoreError
from botkit.settings import Settings
from botkit.types import ConversationKey

logger = logging.getLogger(__name__)

PATH = "/internal/turns"
SIGNATURE = "X-Botkit-Signature"
TOLERANCE_SECONDS = 300
SENT_WITHIN = 0.25
"""Seconds for a push to leave before the platform is answered."""

TURN_SECONDS = 900
"""How long a push may last: the longest that function platforms allow."""

PUSH_ERRORS = (ClientError, TimeoutError, OSError)


def sign(key: bytes, body: bytes, now: float) -> str:
    """The signature of ``body`` at ``now`` (seconds since 1970): ``t=...,v1=...``."""
    stamp = str(int(now))
    digest = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def verify(key: bytes, body: bytes, signature: str, now: float) -> bool:
    """Whether ``signature`` was made with ``key`` for ``body``, at most five minutes ago."""
    stamp = signature.partition(",")[0].removeprefix("t=")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return False
    expected = sign(key, body, int(stamp)).encode()
    genuine = hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
    return genuine and abs(now - int(stamp)) <= TOLERANCE_SECONDS


class Pushing(Protocol):
    """How whoever accepts an event has its turn run elsewhere.

    Fields:
        sweeps: Whether what becomes due later is pushed too, while this process lives.
    """

    sweeps: bool

    async def push(self, conversation: ConversationKey | None) -> None:
        """Have somebody work on a conversation, or on whatever is due; never raises."""
        ...

    async def aclose(self) -> None:
        """Give everything back."""
        ...


class Pusher:
    """Pushes conversations to the route."""

    sweeps = True

    def __init__(self, url: str, key: bytes) -> None:
        self._url = url
        self._key = key
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def push(self, conversation: ConversationKey | None) -> None:
        """Send a push for a conversation, or for whatever is due.

        Returns when it is on its way; a failure is logged.
        """
        task = asyncio.create_task(self._post(conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=SENT_WITHIN)

    async def aclose(self) -> None:
        """Stop waiting for answers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _post(self, conversation: ConversationKey | None) -> None:
        try:
            status = await self.ask(conversation)
        except PUSH_ERRORS as error:
            logger.warning("the push for a turn failed: %s", type(error).__name__)
        else:
            if status not in (200, 503):
                logger.warning("the push for a turn was answered %d", status)

    async def ask(self, conversation: ConversationKey | None) -> int:
        """Push, and wait for the status: 200 when nothing is left to do, 503 when something is.

        Raises:
            ClientError, TimeoutError, OSError: There was no answer.
        """
        if self._session is None:
            # Each push lasts as long as its turns: no number of them may hold the next one up.
            self._session = ClientSession(
                timeout=ClientTimeout(total=TURN_SECONDS), connector=TCPConnector(limit=0)
            )
        named = {} if conversation is None else {"conversation": str(conversation)}
        body = json.dumps(named).encode()
        headers = {SIGNATURE: sign(self._key, body, time.time())}
        async with self._session.post(self._url, data=body, headers=headers) as response:
            return response.status


def make_pusher(settings: Settings) -> Pusher:
    """The pusher to BOTKIT_TURNS_URL, or to the route at BOTKIT_PUBLIC_URL.

    Raises:
        SettingsError: There is no address, or no key to sign with.
    """
    url = settings.turns_url or (settings.public_url and settings.public_url.rstrip("/") + PATH)
    if not url or settings.secret_key is None:
        raise SettingsError(
            "pushes (BOTKIT_TRIGGER=http, botkit push) need BOTKIT_SECRET_KEY, and "
            "BOTKIT_PUBLIC_URL or BOTKIT_TURNS_URL"
        )
    return Pusher(url, settings.key)


def turns_handler(
    key: bytes, run: Callable[[ConversationKey | None], Awaitable[bool]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route's handler.

    Args:
        key: What pushes are signed with.
        run: Works on what is due, the given conversation first; whether nothing is left to do.
    """

    async def turns(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not verify(key, body, request.headers.get(SIGNATURE, ""), time.time()):
            return web.json_response({"error": "the signature is missing or wrong"}, status=401)
        try:
            named = json.loads(body or b"{}").get("conversation")
            conversation = ConversationKey.parse(named) if named else None
        except (ValueError, AttributeError, TypeError):
            return web.json_response({"error": "the body names no conversation"}, status=400)
        try:
            done = await asyncio.shield(asyncio.ensure_future(run(conversation)))
        except StoreError:
            done = False
        # A queue that pushes again after an error is what a retry that is due later needs.
        status, headers = (200, {}) if done else (503, {"Retry-After": "5"})
        return web.json_response({"done": done}, status=status, headers=headers)

    return turns
