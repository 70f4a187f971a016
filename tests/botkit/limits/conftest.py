"""A clock that tests set, and a Redis that is there or not as they say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis_server import RedisServer

from botkit.metrics import Metrics
from botkit.redis_link import RedisLink


class Clock:
    """Seconds since 1970 that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class FaultyLink(RedisLink):
    """A Redis that a test takes away: ``away`` asks nobody, ``deaf`` hears no answer."""

    away_now = False
    deaf = False

    async def call(self, work: Callable[[Any], Awaitable[Any]], otherwise: Any) -> Any:
        if self.away_now:
            return otherwise
        answer = await super().call(work, otherwise)
        return otherwise if self.deaf else answer


def make_link(server: RedisServer) -> FaultyLink:
    return FaultyLink(server.url, Metrics(), patience=5.0)


@pytest.fixture
async def link(redis_server: RedisServer) -> AsyncIterator[FaultyLink]:
    made = make_link(redis_server)
    yield made
    await made.aclose()
