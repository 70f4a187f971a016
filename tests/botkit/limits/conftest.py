from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from faulty_redis import Clock, FaultyLink, make_link
from redis_server import RedisServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def link(redis_server: RedisServer) -> AsyncIterator[FaultyLink]:
    made = make_link(redis_server)
    yield made
    await made.aclose()
