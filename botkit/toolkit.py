"""What the middleware of one bot shares; made by the application and closed with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from botkit.metrics import Metrics
from botkit.redis_link import RedisLink
from botkit.settings import Settings
from botkit.store import Store

Closing = Callable[[], Awaitable[None]]

Forgetting = Callable[[str, str], Awaitable[None]]
"""Is given a platform and the id of a person there, of whom nothing may be left."""


@dataclass(frozen=True)
class Toolkit:
    """What a middleware may need.

    Fields:
        settings: What the environment says.
        metrics: Where it counts.
        store: The open store; only while turns run.
        redis: None where none is set up.
        forgetting: What erases a person from caches and the like, beside the store.
        closing: Awaited, the last first, when the bot is closed.
    """

    settings: Settings
    metrics: Metrics
    store: Callable[[], Store]
    redis: RedisLink | None = None
    forgetting: list[Forgetting] = field(default_factory=list)
    closing: list[Closing] = field(default_factory=list)

    async def aclose(self) -> None:
        """Close what was opened."""
        while self.closing:
            await self.closing.pop()()
