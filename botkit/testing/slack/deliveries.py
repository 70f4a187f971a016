"""What Slack sends to the app: signed requests with Slack's retries, or Socket Mode envelopes.

Sources: https://docs.slack.dev/apis/events-api#retries and
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from botkit.testing.slack.state import Json

PAUSES = (0.0, 60.0, 300.0)
"""Before the first, second and third retry."""

ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Delivery:
    """One attempt; ``status`` is 0 when there was no answer in three seconds."""

    kind: str
    retry: int
    status: int
    seconds: float


@dataclass
class Deliveries:
    """Requests to the app.

    Fields:
        secret: What requests are signed with.
        url: The app's ``/slack/events``; empty for Socket Mode.
        time_scale: Pauses between attempts are multiplied by it.
        copies: How often everything is delivered, at the same time.
        first_retry: The number of the first attempt that arrives; earlier ones get lost.
        log: Every attempt over HTTP.
    """

    secret: str
    url: str = ""
    time_scale: float = 1.0
    copies: int = 1
    first_retry: int = 0
    log: list[Delivery] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _session: ClientSession | None = None

    def send(self, kind: str, payload: Json) -> None:
        """Deliver an event (``events_api``), an interaction (``interactive``) or a command
        (``slash_commands``)."""
        for _ in range(self.copies):
            sending = self._post(kind, payload) if self.url else self._through_socket(kind, payload)
            task = asyncio.create_task(sending)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop delivering."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self.sockets:
            await socket.close()
        if self._session is not None:
            await self._session.close()

    async def _through_socket(self, kind: str, payload: Json) -> None:
        await self.connected.wait()
        envelope = {
            "envelope_id": f"envelope-{next(self._numbers)}",
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        await self.sockets[-1].send_json(envelope)

    async def _post(self, kind: str, payload: Json) -> None:
        for retry in range(self.first_retry, len(PAUSES) + 1):
            if retry:
                await asyncio.sleep(PAUSES[retry - 1] * self.time_scale)
            began = time.monotonic()
            status = await self._request(kind, payload, retry)
            self.log.append(Delivery(kind, retry, status, time.monotonic() - began))
            if 200 <= status < 300 or kind != "events_api":
                return

    async def _request(self, kind: str, payload: Json, retry: int) -> int:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=ANSWER_SECONDS))
        form = kind != "events_api"
        if not form:
            body = json.dumps(payload).encode()
        elif kind == "interactive":
            body = urlencode({"payload": json.dumps(payload)}).encode()
        else:
            body = urlencode(payload).encode()
        headers = self.signed(body)
        headers["Content-Type"] = (
            "application/x-www-form-urlencoded" if form else "application/json"
        )
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_error"}
        try:
            async with self._session.post(self.url, data=body, headers=headers) as response:
                return response.status
        except (ClientError, TimeoutError, OSError):
            return 0

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The headers that prove a body."""
        stamp = str(int(time.time() if at is None else at))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self.secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
