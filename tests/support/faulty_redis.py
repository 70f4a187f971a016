"""A Redis that is there or not as a test says, and a clock that it sets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from redis_server import RedisServer

from botkit.metrics import Metrics
from botkit.redis_link import RedisLink


class Clock:
    """Seconds since 1970 that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class FaultyLink(RedisLink):
    """``away_now``: nobody is asked; ``deaf``: the answer is lost."""

    away_now = False
    deaf = False

    async def call(self, work: Callable[[Any], Awaitable[Any]], otherwise: Any) -> Any:
        if self.away_now:
            return otherwise
        answer = await super().call(work, otherwise)
        return otherwise if self.deaf else answer


def make_link(server: RedisServer) -> FaultyLink:
    """A link that waits longer than a busy machine takes."""
    return FaultyLink(server.url, Metrics(), patience=5.0)
