"""One client connection: a deadline for request heads, JSON for malformed HTTP, and a cap.

aiohttp bounds how long a connection may idle, not how slowly a request's head may arrive, and
answers what it cannot parse in plain text.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import http_exceptions, web

from botkit.server.limits import ServerLimits
from botkit.server.replies import from_http_exception, http_error
from botkit.server.request_id import HEADER, new_id

_LINGER_SECONDS = 1.0
"""How long a refused body is read and thrown away, so that the client gets to see the answer."""


class Connection(web.RequestHandler):
    """aiohttp's protocol with a deadline for heads and OpenAI-shaped errors."""

    __slots__ = ("_answering", "_deadline", "_head_seconds")

    def __init__(
        self, manager: web.Server, limits: ServerLimits, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to have none
            keepalive_timeout=limits.idle_seconds,
            max_line_size=limits.line_bytes,
            max_field_size=limits.line_bytes,
            max_headers=limits.headers,
            lingering_time=_LINGER_SECONDS,
        )
        self._head_seconds = limits.head_seconds
        self._deadline: asyncio.TimerHandle | None = None
        self._answering = False

    @property
    def answering(self) -> bool:
        """Whether a request is being answered now."""
        return self._answering

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect the first head from now on."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the deadline."""
        self.head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The first bytes after an answer are the begin of a further head.

        Unless they are the rest of a body that the answer did not wait for: aiohttp reads that
        before it waits for another head.
        """
        super().data_received(data)
        waits_for_head = self._waiter is not None and not self._waiter.done()
        if waits_for_head and not self._answering and self._deadline is None:
            self._expect_head()

    def head_arrived(self) -> None:
        """A request is whole enough to be answered."""
        self._answering = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def answered(self) -> None:
        """The request has its answer; the connection may idle."""
        self._answering = False

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be parsed as HTTP.

        Raises:
            ConnectionError: Part of a response is out already.
        """
        self.head_arrived()
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        if isinstance(exc, http_exceptions.LineTooLong):
            return _final(431, "A header line is too long.", "headers_too_large")
        if status >= 500:
            return _final(status, "The server had an error.", "internal_error")
        return _final(status, "The request is not well-formed HTTP.", "malformed_request")

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response; aiohttp's own plain-text errors become JSON first."""
        if isinstance(resp, web.HTTPException):
            resp = from_http_exception(request, resp)
        return await super().finish_response(request, resp, start_time)

    def _expect_head(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if isinstance(self.transport, asyncio.WriteTransport):
            message = f"The request's headers did not arrive within {self._head_seconds:g} s."
            self.transport.write(raw_error(408, "Request Timeout", message, "request_timeout"))
        self.force_close()


class Refusal(asyncio.Protocol):
    """A connection beyond the cap: told so, and closed.

    What the client sends meanwhile is read and dropped: closing with unread bytes would reset the
    connection, and the client would not see the answer.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer, and leave the client a moment to read it."""
        if isinstance(transport, asyncio.WriteTransport):
            message = "Too many connections are open."
            transport.write(raw_error(503, "Service Unavailable", message, "too_many_connections"))
            transport.write_eof()
        self._closing = asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.close)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The client has read it."""
        self._closing.cancel()


def raw_error(status: int, reason: str, message: str, code: str) -> bytes:
    """A whole HTTP/1.1 response for a connection without a parsed request."""
    response = http_error(status, message, code=code)
    body = response.body if isinstance(response.body, bytes) else b""
    head = [
        f"HTTP/1.1 {status} {reason}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"{HEADER}: {new_id()}",
        "Retry-After: 1",
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def _final(status: int, message: str, code: str) -> web.Response:
    response = http_error(status, message, code=code, close=True)
    response.headers[HEADER] = new_id()
    response.headers["Server"] = "botkit"
    return response


def protocol_factory(server: web.Server, limits: ServerLimits) -> Any:
    """What ``loop.create_server`` calls for each client."""
    loop = asyncio.get_running_loop()

    def connect() -> asyncio.Protocol:
        if len(server.connections) >= limits.connections:
            return Refusal()
        return Connection(server, limits, loop)

    return connect
