"""What the middleware of one bot shares; made by the application and closed with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from botkit.metrics import Metrics
from botkit.settings import Settings
from botkit.store import Store

Closing = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Toolkit:
    """What a middleware may need.

    Fields:
        settings: What the environment says.
        metrics: Where it counts.
        store: The open store; only while turns run.
        closing: Awaited, the last first, when the bot is closed.
    """

    settings: Settings
    metrics: Metrics
    store: Callable[[], Store]
    closing: list[Closing] = field(default_factory=list)

    async def aclose(self) -> None:
        """Close what was opened."""
        while self.closing:
            await self.closing.pop()()
