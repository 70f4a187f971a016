"""Redis, which may go away at any time: its loss is never an error.

What is in it (caches, counts) can be done without, so every use names what to take instead. A Redis
that does not answer is left alone for a while that grows (a circuit breaker, as in
:mod:`botkit.completion.breaker`), for a turn must not wait for it again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from botkit.errors import MissingExtraError, SettingsError
from botkit.metrics import Metrics

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 0.25
"""Seconds that one use may take, with connecting."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
CONNECTIONS = 64

URL_HELP = "BOTKIT_REDIS_URL is not a Redis URL; write redis://host:6379/0, or rediss:// for TLS"


class RedisLink:
    """One Redis, guarded.

    Args:
        url: As ``redis://:password@host:6379/0``, or ``rediss://`` for TLS.
        metrics: Where it counts.
        patience: Seconds that one use may take, with connecting.
        clock: Seconds that only grow.

    Raises:
        SettingsError: The URL is wrong; whether anybody answers there is not looked at.
        MissingExtraError: The extra ``botkit[redis]`` is not installed.
    """

    def __init__(
        self,
        url: str,
        metrics: Metrics,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis, self._failures = _client(url)
        self._metrics = metrics
        self._patience = patience
        self._clock = clock
        self._pause = 0.0
        self._next_try = 0.0
        self._trying = False
        self._refused = -LONGEST_PAUSE
        self._closed = False

    @property
    def away(self) -> bool:
        """Whether it did not answer when it was last asked."""
        return self._closed or self._pause > 0

    async def call(self, work: Callable[[Redis], Awaitable[T]], otherwise: T) -> T:
        """What ``work`` makes of Redis; ``otherwise`` when Redis is away or refuses.

        Args:
            work: Given the client, whose replies are bytes. It may have been done, in part or
                whole, though ``otherwise`` is returned: the answer can be lost.
            otherwise: What to take instead.
        """
        if self._closed or (self._pause and (self._trying or self._clock() < self._next_try)):
            return otherwise
        trial = self._trying = self._pause > 0
        try:
            async with asyncio.timeout(self._patience):
                result = await work(self._redis)
        except self._failures as error:
            return self._failed(error, trial, otherwise)
        finally:
            if trial:
                self._trying = False
        if trial:
            self._pause = 0.0
            logger.info("Redis answers again")
        self._metrics.redis_up.set(1)
        return result

    async def aclose(self) -> None:
        """Close the connections; from now on it is away."""
        self._closed = True
        self._metrics.redis_up.set(0)
        with contextlib.suppress(*self._failures):
            async with asyncio.timeout(self._patience):
                await self._redis.aclose()

    def _failed(self, error: Exception, trial: bool, otherwise: T) -> T:
        from redis.exceptions import ResponseError

        self._metrics.redis_errors.inc()
        now = self._clock()
        if isinstance(error, ResponseError) and not trial:  # it is there, and refuses this
            if now - self._refused >= LONGEST_PAUSE:
                self._refused = now
                logger.warning("Redis refuses what it is asked (%s)", type(error).__name__)
            return otherwise
        if trial or not self._pause:
            if not trial:
                name = type(error).__name__
                logger.warning("Redis does not answer (%s); going on without it", name)
            self._pause = min(2 * self._pause or FIRST_PAUSE, LONGEST_PAUSE)
            self._next_try = now + self._pause
            self._metrics.redis_up.set(0)
        return otherwise


def _client(url: str) -> tuple[Redis, tuple[type[Exception], ...]]:
    """A client that is not connected yet, and what it may raise."""
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError
    except ModuleNotFoundError:
        raise MissingExtraError("redis", "redis") from None
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=None,  # RedisLink has one for everything
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
        pool.connection_class(**pool.connection_kwargs)  # finds options that are none
    except (ValueError, TypeError):
        raise SettingsError(URL_HELP) from None
    # ValueError: what answers is no Redis, and its words could not be parsed.
    return Redis.from_pool(pool), (RedisError, OSError, EOFError, ValueError)
