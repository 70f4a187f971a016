"""For how long a client waits: what it says in its request's headers.

``X-Request-Timeout`` is for any client: seconds, for the whole reply. OpenAI's SDKs send the
timeout that they were given (``timeout=20``) as ``X-Stainless-Read-Timeout`` (Python) or
``X-Stainless-Timeout`` (JavaScript), in seconds: after so long without a byte they hang up. Where a
reply comes in one piece that is a deadline; where it is streamed it says nothing about the whole.
"""

from __future__ import annotations

import math

from aiohttp import web

from botkit.completion.deadline import MAX_SECONDS
from botkit.errors import InvalidRequestError

HEADER = "X-Request-Timeout"
SDK_HEADERS = ("X-Stainless-Read-Timeout", "X-Stainless-Timeout")


def patience(request: web.Request, *, streamed: bool) -> float | None:
    """Seconds for which the client waits, or None when it does not say.

    Raises:
        InvalidRequestError: ``X-Request-Timeout`` is no positive number of seconds.
    """
    given = request.headers.get(HEADER)
    if given is not None:
        seconds = _seconds(given)
        if seconds is None:
            raise InvalidRequestError(
                f"Invalid value for the header '{HEADER}': give a number of seconds, more than 0 "
                f"and at most {MAX_SECONDS:g}.",
                param=HEADER,
                code="invalid_value",
            )
        return seconds
    if streamed:
        return None
    found = (_seconds(request.headers.get(name, "")) for name in SDK_HEADERS)
    return min((seconds for seconds in found if seconds is not None), default=None)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds <= MAX_SECONDS else None
