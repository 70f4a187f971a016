"""Lua that Redis runs in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from botkit.redis_link import RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript


class Script:
    """One script of this package, at one Redis.

    Args:
        redis: Where it runs.
        name: Its file.
    """

    def __init__(self, redis: RedisLink, name: str) -> None:
        self._redis = redis
        self._text = _text(name)
        self._registered: AsyncScript | None = None

    async def run(self, keys: Sequence[str], args: Sequence[int | str]) -> Any:
        """What it answers; None where Redis is away."""

        async def work(client: Redis) -> Any:
            if self._registered is None:
                self._registered = client.register_script(self._text)
            return await self._registered(keys=list(keys), args=list(args))

        return await self._redis.call(work, None)


@cache
def _text(name: str) -> str:
    return (files("botkit.limits") / name).read_text()
