"""Tokens used per day, on every database."""

from __future__ import annotations

import asyncio
from typing import Any

from botkit.store import Store

TODAY = 20_833  # the day of the tests' clock


async def test_what_is_used_adds_up_by_day_and_key(store: Store) -> None:
    assert await store.usage_today(TODAY, ["a", "b"]) == {}
    assert await store.add_usage(TODAY, {"a": 3, "b": 5}) == {"a": 3, "b": 5}
    assert await store.add_usage(TODAY, {"b": 1, "c": 1 << 40}) == {"b": 6, "c": 1 << 40}
    assert await store.add_usage(TODAY + 1, {"a": 7}) == {"a": 7}
    assert await store.usage_today(TODAY, ["a", "b", "never"]) == {"a": 3, "b": 6}
    assert await store.usage_today(TODAY + 1, ["a", "b"]) == {"a": 7}


async def test_many_add_at_the_same_time_and_nothing_is_lost(store: Store) -> None:
    keys = [f"k{number}" for number in range(150)]  # more than one statement takes

    async def add(number: int) -> None:
        order = keys if number % 2 else keys[::-1]
        await store.add_usage(TODAY, dict.fromkeys(order, 2))

    await asyncio.gather(*map(add, range(20)))
    assert await store.usage_today(TODAY, keys[:90]) == dict.fromkeys(keys[:90], 40)


async def test_days_before_yesterday_are_pruned(store: Store, clock: Any) -> None:
    for day in (TODAY - 3, TODAY - 2, TODAY - 1, TODAY):
        await store.add_usage(day, {"a": 1})
    clock.now = TODAY * 86400.0 + 50_000
    assert await store.prune(30 * 86400.0) == 2
    left = [day for day in range(TODAY - 3, TODAY + 1) if await store.usage_today(day, ["a"])]
    assert left == [TODAY - 1, TODAY]
