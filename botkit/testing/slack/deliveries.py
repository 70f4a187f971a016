"""What Slack sends to the app: signed requests with Slack's retries, or Socket Mode envelopes.

Sources: https://docs.slack.dev/apis/events-api#retries and
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from botkit.testing.slack.state import Json

PAUSES = (0.0, 60.0, 300.0)
"""Before the first, second and third retry."""

ANSWER_SECONDS = 3.0
TIMED_OUT = "http_timeout"


@dataclass(frozen=True)
class Delivery:
    """One attempt; ``status`` is 0 when there was no answer in three seconds."""

    kind: str
    retry: int
    status: int
    seconds: float


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended: its status, why it is made again, and whether the app allows that."""

    status: int
    reason: str = ""
    final: bool = False


@dataclass
class Deliveries:
    """Requests to the app.

    Fields:
        secret: What requests are signed with.
        url: The app's ``/slack/events``; empty for Socket Mode.
        time_scale: Pauses between attempts are multiplied by it.
        copies: How often everything is delivered, at the same time.
        hold: So many deliveries are kept back and then made one by one, newest first; 0 makes each
            at once.
        first_retry: The number of the first attempt that arrives; earlier ones get lost.
        answer_seconds: For which an answer is waited.
        sent: Everything that was on its way to the app, once: its kind and its payload.
        log: Every attempt over HTTP.
        answered: Called with the payload and with what the app said when it acknowledged it.
        acknowledged: The envelopes that the app acknowledged over its socket.
    """

    secret: str
    url: str = ""
    time_scale: float = 1.0
    copies: int = 1
    hold: int = 0
    first_retry: int = 0
    answer_seconds: float = ANSWER_SECONDS
    sent: list[tuple[str, Json]] = field(default_factory=list)
    log: list[Delivery] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    answered: Callable[[Json, str], None] = field(default=lambda payload, text: None)
    _held: list[tuple[str, Json]] = field(default_factory=list)
    _waiting: dict[str, tuple[asyncio.Event, Json]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _session: ClientSession | None = None

    def send(self, kind: str, payload: Json) -> None:
        """Deliver an event (``events_api``), an interaction (``interactive``) or a command
        (``slash_commands``)."""
        self.sent.append((kind, payload))
        if not self.hold:
            self._start(self._deliver(kind, payload))
            return
        self._held.append((kind, payload))
        if len(self._held) >= self.hold:
            held, self._held = self._held, []
            self._start(self._newest_first(held))

    def acknowledge(self, envelope_id: str, answer: Json | None = None) -> None:
        """The app took what came through its socket, and says something with that."""
        self.acknowledged.append(envelope_id)
        waiting = self._waiting.pop(envelope_id, None)
        if waiting is None:
            return
        waiting[0].set()
        if answer:
            self.answered(waiting[1], json.dumps(answer))

    def connect(self, socket: web.WebSocketResponse) -> None:
        """The app has a socket."""
        self.sockets.append(socket)
        self.connected.set()

    def disconnect(self, socket: web.WebSocketResponse) -> None:
        """The app's socket is gone."""
        self.sockets.remove(socket)
        if not self.sockets:
            self.connected.clear()

    async def refresh(self) -> None:
        """Ask the app to connect anew, as Slack does every few hours, and close its sockets."""
        for socket in list(self.sockets):
            self.disconnect(socket)
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
            await socket.close()

    async def aclose(self) -> None:
        """Stop delivering."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in list(self.sockets):
            await socket.close()
        if self._session is not None:
            await self._session.close()

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _newest_first(self, held: list[tuple[str, Json]]) -> None:
        for kind, payload in reversed(held):
            await self._deliver(kind, payload)

    async def _deliver(self, kind: str, payload: Json) -> None:
        one = self._post if self.url else self._through_socket
        await asyncio.gather(*(one(kind, payload) for _ in range(self.copies)))

    async def _through_socket(self, kind: str, payload: Json) -> None:
        envelope: Json = {
            "envelope_id": f"envelope-{next(self._numbers)}",
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        taken = asyncio.Event()
        self._waiting[envelope["envelope_id"]] = (taken, payload)
        for retry in range(self.first_retry, len(PAUSES) + 1):
            if retry:
                await asyncio.sleep(PAUSES[retry - 1] * self.time_scale)
            if kind == "events_api":
                reason = TIMED_OUT if retry else ""
                envelope |= {"retry_attempt": retry, "retry_reason": reason}
            await self.connected.wait()
            with contextlib.suppress(ConnectionError):
                await self.sockets[-1].send_json(envelope)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(taken.wait(), self.answer_seconds)
            if taken.is_set() or kind != "events_api":
                return

    async def _post(self, kind: str, payload: Json) -> None:
        reason = TIMED_OUT
        for retry in range(self.first_retry, len(PAUSES) + 1):
            if retry:
                await asyncio.sleep(PAUSES[retry - 1] * self.time_scale)
            began = time.monotonic()
            attempt = await self._request(kind, payload, retry, reason)
            self.log.append(Delivery(kind, retry, attempt.status, time.monotonic() - began))
            if 200 <= attempt.status < 300 or attempt.final or kind != "events_api":
                return
            reason = attempt.reason

    async def _request(self, kind: str, payload: Json, retry: int, reason: str) -> Attempt:
        if self._session is None:
            self._session = ClientSession()
        body, media_type = _body(kind, payload)
        headers = {**self.signed(body), "Content-Type": media_type}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        timeout = ClientTimeout(total=self.answer_seconds)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, timeout=timeout
            ) as response:
                text = await response.text()
                if response.status == 200:
                    self.answered(payload, text)
                final = response.headers.get("X-Slack-No-Retry") == "1"
                return Attempt(response.status, "http_error", final)
        except TimeoutError:
            return Attempt(0, TIMED_OUT)
        except (ClientError, OSError):
            return Attempt(0, "connection_failed")

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The headers that prove a body."""
        stamp = str(int(time.time() if at is None else at))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self.secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _body(kind: str, payload: Json) -> tuple[bytes, str]:
    """Events are JSON, an interaction is JSON in a form, a command is a form."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = {"payload": json.dumps(payload)} if kind == "interactive" else payload
    return urlencode(form).encode(), "application/x-www-form-urlencoded"
