"""HTTP responses: JSON, and errors in OpenAI's shape."""

from __future__ import annotations

import json
import math

from aiohttp import web

from botkit.completion.usage import WireOut
from botkit.errors import CompletionError
from botkit.redaction import redacted

_JSON = "application/json"
_RETRY_LATER = (429, 503)
_RETRY_SECONDS = 5
"""When an error does not know after how long a retry may succeed."""

_KEPT_HEADERS = ("Allow", "Location", "Retry-After")


def json_reply(value: WireOut) -> web.Response:
    """A response type as a 200."""
    return web.Response(text=value.to_json(), content_type=_JSON)


def error_body(error: CompletionError) -> str:
    """``{"error": {"message", "type", "param", "code"}}`` (OpenAI: ``ErrorResponse``).

    A message may name what the client sent, as a path or a model; were that a key, it is not shown.
    """
    fields = {
        "message": redacted(error.message),
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    return json.dumps({"error": fields})


def error_reply(error: CompletionError) -> web.Response:
    """An error as its status, body and headers."""
    response = web.Response(text=error_body(error), status=error.status, content_type=_JSON)
    if error.status in _RETRY_LATER:
        seconds = _RETRY_SECONDS if error.retry_after is None else error.retry_after
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if error.status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def http_error(
    status: int, message: str, *, code: str | None = None, close: bool = False
) -> web.Response:
    """An error that is about HTTP and not about a completion.

    Args:
        status: The HTTP status.
        message: What was wrong, for a person.
        code: A machine-readable code, or None.
        close: Whether the connection is of no further use.
    """
    error = CompletionError(message, code=code)
    error.status = status
    error.type = "server_error" if status >= 500 else "invalid_request_error"
    response = error_reply(error)
    if close:
        response.force_close()
    return response


def from_http_exception(request: web.BaseRequest, error: web.HTTPException) -> web.Response:
    """aiohttp's own answer (404, 405, 413, 417 ...) in OpenAI's shape, its headers kept."""
    where = f"{request.method} {request.path}"
    messages = {
        404: f"Invalid URL ({where})",
        405: f"Not allowed to {where}.",
        413: "The request body is too large.",
        417: "Only 'Expect: 100-continue' is understood.",
    }
    codes = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}
    response = http_error(
        error.status,
        messages.get(error.status, error.reason),
        code=codes.get(error.status),
        close=error.status in (413, 417),
    )
    for name in _KEPT_HEADERS:
        if name in error.headers:
            response.headers[name] = error.headers[name]
    return response
