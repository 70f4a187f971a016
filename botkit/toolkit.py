"""What the middleware of one bot shares; made by the application and closed with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from botkit.asking import Asking
from botkit.completion import TokenCounter
from botkit.completion.ability import ability
from botkit.completion.counting import TokenCounts
from botkit.completion.observed import ObservedCompletion, make_observer
from botkit.memory.summarizer import Summarizer
from botkit.metrics import Metrics
from botkit.quality import HandOff
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
        counts: How many tokens messages take.
        summarizer: Folds what conversations have too much of.
        hand_off: Who answers where the model cannot.
        forgetting: What erases a person from caches and the like, beside the store.
        settling: Awaited where nothing may be left to do beside the turns.
        closing: Awaited, the last first, when the bot is closed.
    """

    settings: Settings
    metrics: Metrics
    store: Callable[[], Store]
    redis: RedisLink | None = None
    counts: TokenCounts = field(default_factory=TokenCounts)
    summarizer: Summarizer | None = None
    hand_off: HandOff | None = None
    forgetting: list[Forgetting] = field(default_factory=list)
    settling: list[Closing] = field(default_factory=list)
    closing: list[Closing] = field(default_factory=list)

    async def idle(self) -> None:
        """Return when nothing goes on beside the turns."""
        if self.summarizer is not None:
            await self.summarizer.idle()
        for settle in self.settling:
            await settle()

    async def aclose(self) -> None:
        """Close what was opened; first who spends budgets and fills caches."""
        if self.summarizer is not None:
            await self.summarizer.aclose()
        while self.closing:
            await self.closing.pop()()


def make_toolkit(
    settings: Settings,
    metrics: Metrics,
    store: Callable[[], Store],
    asking: Asking,
    hand_off: HandOff | None,
) -> Toolkit:
    """What the settings ask for; nothing is connected yet.

    Raises:
        SettingsError, MissingExtraError: A variable is wrong, or needs an extra of botkit.
    """
    counts = TokenCounts(ability(asking.completion, TokenCounter))
    observed = ObservedCompletion(asking.completion, make_observer(settings, metrics))
    summarizer = Summarizer(
        store,
        replace(asking, completion=observed),
        counts,
        settings.history_tokens,
        lambda outcome: metrics.summaries.labels(outcome).inc(),
    )
    redis = _redis(settings, metrics)
    kit = Toolkit(settings, metrics, store, redis, counts, summarizer, hand_off)
    if redis is not None:
        kit.closing.append(redis.aclose)
    return kit


def _redis(settings: Settings, metrics: Metrics) -> RedisLink | None:
    if not settings.redis_url:
        return None
    return RedisLink(settings.redis_url, metrics, patience=settings.redis_timeout)
