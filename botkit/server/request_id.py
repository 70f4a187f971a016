"""A name for each request, on its response and in the log."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

from aiohttp import web

from botkit.redaction import redacted

HEADER: Final = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_ID = web.RequestKey("request_id", str)
_BEGAN = web.RequestKey("began", float)


def request_id(request: web.BaseRequest) -> str:
    """The client's id when it is short, plain and no key, else a new one; always the same."""
    if _ID not in request:
        sent = request.headers.get(HEADER, "")
        request[_ID] = sent if _SANE.fullmatch(sent) and redacted(sent) == sent else new_id()
    return request[_ID]


def new_id() -> str:
    """A fresh request id."""
    return f"req_{secrets.token_hex(16)}"


def begin(request: web.Request) -> None:
    """Start the request's clock."""
    request[_BEGAN] = time.monotonic()


def elapsed_ms(request: web.BaseRequest) -> int:
    """Milliseconds since :func:`begin`; 0 when the request never came that far."""
    began = request.get(_BEGAN)
    return 0 if began is None else round(1000 * (time.monotonic() - began))


async def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """Put the id and the time to the first byte on a response (an ``on_response_prepare`` hook)."""
    response.headers[HEADER] = request_id(request)
    response.headers["OpenAI-Processing-Ms"] = str(elapsed_ms(request))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = "botkit"
