"""``GET /metrics``: what was counted, what waits in the store, and what the engine has to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from botkit.completion import Completion
from botkit.completion.ability import ability
from botkit.completion.load import NO_LOAD
from botkit.completion.protocol import Loaded
from botkit.errors import StoreError
from botkit.metrics import CONTENT_TYPE, UNKNOWN, Metrics
from botkit.store import Store

FRESH_SECONDS = 1.0
"""For which the store is not asked again, however many scrape."""

PATIENCE = 2.0
"""Seconds for the store to answer: a scrape tells that it is away, instead of waiting for it."""


class Scrape:
    """Answers scrapes.

    Args:
        store: The open store.
        metrics: What to show.
        completion: Who answers; its engine is shown if it has one.
    """

    def __init__(
        self, store: Callable[[], Store], metrics: Metrics, completion: Completion
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._engine = ability(completion, Loaded)
        self._counted = NO_LOAD
        self._asked = -FRESH_SECONDS
        self._asking = asyncio.Lock()

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        async with self._asking:
            if time.monotonic() - self._asked >= FRESH_SECONDS:
                await self._look()
                self._look_at_engine()
                self._asked = time.monotonic()
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _look(self) -> None:
        metrics = self._metrics
        waiting = (
            metrics.inbox_events,
            metrics.outbox_payloads,
            metrics.dead_letters,
            metrics.inbox_oldest,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                stats = await self._store().stats()
        except (StoreError, TimeoutError):
            metrics.store_up.set(0)
            for gauge in waiting:
                gauge.set(UNKNOWN)
            return
        metrics.store_up.set(1)
        values = (stats.queued, stats.unsent, stats.dead, stats.oldest_seconds)
        for gauge, value in zip(waiting, values, strict=True):
            gauge.set(value)

    def _look_at_engine(self) -> None:
        load = None if self._engine is None else self._engine.load()
        if load is None:
            return
        metrics, before, self._counted = self._metrics, self._counted, load
        metrics.engine_slots.set(load.slots)
        metrics.engine_running.set(load.running)
        metrics.engine_waiting.labels("interactive").set(load.interactive)
        metrics.engine_waiting.labels("batch").set(load.batch)
        metrics.engine_cache.set(load.cache)
        drafted, accepted = load.drafted - before.drafted, load.accepted - before.accepted
        metrics.engine_drafts.labels("accepted").inc(accepted)
        metrics.engine_drafts.labels("rejected").inc(max(drafted - accepted, 0))
        metrics.engine_compiled.inc(load.compiled - before.compiled)
