"""Lua that Redis runs in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botkit.redis_link import RedisLink

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript


class Script:
    """One script, at one Redis.

    Args:
        redis: Where it runs.
        text: In Lua.
    """

    def __init__(self, redis: RedisLink, text: str) -> None:
        self._redis = redis
        self._text = text
        self._registered: AsyncScript | None = None

    async def run(self, keys: Sequence[str], args: Sequence[int | str | bytes]) -> Any:
        """What it answers; None where Redis is away."""

        async def work(client: Redis) -> Any:
            if self._registered is None:
                self._registered = client.register_script(self._text)
            return await self._registered(keys=list(keys), args=list(args))

        return await self._redis.call(work, None)
