"""Who may look: whoever shows the key, and nobody who guesses."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable

from aiohttp import hdrs, web

from botkit.console.answers import refusal
from botkit.limits.addresses import network, parse_address
from botkit.limits.rates import Rate
from botkit.limits.windows import Window, Windows

WRONG_KEYS = Rate(10, 60)
"""That one address may show before it is told to wait. The right key is let in all the same: behind
a proxy, whoever guesses would lock everybody out, and nobody guesses a key of that length."""


class Gate:
    """Lets requests in that show the key.

    Args:
        key: BOTKIT_CONSOLE_KEY.
        clock: Seconds since 1970.
    """

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        self._digest = _digest(key)
        self._wrong = Windows(clock)

    def refuses(self, request: web.Request) -> web.Response | None:
        """Why a request is not let in; None where it is."""
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            message = "Show the console's key: 'Authorization: Bearer BOTKIT_CONSOLE_KEY'."
            return refusal(401, message)
        # Digests, in constant time: how long it takes says nothing about the key or its length.
        if hmac.compare_digest(_digest(key.strip()), self._digest):
            return None
        windows = (Window(_network(request.remote or ""), WRONG_KEYS, "user"),)
        full = self._wrong.full(windows)
        if full is not None:
            seconds = max(1, math.ceil(full[1]))
            message = f"Too many wrong keys came from this address. Try again in {seconds} s."
            return refusal(429, message, retry_after=seconds)
        self._wrong.add(windows)
        return refusal(401, "That is not the console's key.")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _network(text: str) -> str:
    """What one guesser has; the text itself where it is no address."""
    address = parse_address(text)
    return text if address is None else network(address)
