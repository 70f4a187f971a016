"""Tokens per day: what is granted never exceeds the budget, however requests interleave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faulty_redis import Clock, FaultyLink, make_link
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer

from botkit.errors import BudgetExceededError, OverloadedError, StoreError
from botkit.limits import ledger as ledger_module
from botkit.limits.budgets import DAY, Budgets
from botkit.limits.ledger import Reservation
from botkit.limits.scopes import Kind, Names, Scope
from botkit.store import Store, open_store

LIMITS: dict[Kind, int] = {"user": 100, "conversation": 150, "workspace": 220}
PEOPLE = [Scope("user", name) for name in ("ada", "bob", "eve")]
PLACES = [Scope("conversation", name) for name in ("here", "there")]
WORK = Scope("workspace", "w")
ADA, HERE = PEOPLE[0], PLACES[0]
SHARED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    opened = await open_store("sqlite:///:memory:")
    yield opened
    await opened.aclose()


def budgets(store: Store, clock: Any, link: Any = None, **limits: int) -> Budgets:
    chosen: Any = limits or LIMITS
    return Budgets(chosen, Names(), lambda: store, link, clock)


class Books:
    """What was granted, as an outsider counts it: nothing may be over its limit at any time."""

    def __init__(self) -> None:
        self.spent: dict[Scope, int] = {}
        self.open: list[tuple[Budgets, Reservation, list[Scope]]] = []

    async def reserve(self, at: Budgets, scopes: list[Scope], want: int, least: int) -> None:
        try:
            granted = await at.reserve(scopes, want, least)
        except (BudgetExceededError, OverloadedError):
            return
        assert least <= granted.tokens <= want
        self._count(scopes, granted.tokens)
        self.open.append((at, granted, scopes))

    def settle(self, which: int, share: float) -> None:
        if self.open:
            at, granted, scopes = self.open.pop(which % len(self.open))
            used = int(granted.tokens * share)
            self._count(scopes, used - granted.tokens)
            at.settle(granted, used)

    def _count(self, scopes: list[Scope], tokens: int) -> None:
        for scope in scopes:
            self.spent[scope] = self.spent.get(scope, 0) + tokens
            assert self.spent[scope] <= LIMITS[scope.kind], f"{scope} has more than its budget"


step = st.one_of(
    st.tuples(
        st.just("reserve"),
        st.sampled_from(PEOPLE),
        st.sampled_from(PLACES),
        st.integers(1, 120),
        st.integers(1, 30),
    ),
    st.tuples(st.just("settle"), st.integers(0, 20), st.sampled_from([0.0, 0.3, 1.0])),
    st.tuples(st.sampled_from(["flush", "away", "deaf", "back", "save", "restart", "wait"])),
)


@given(steps=st.lists(step, max_size=60), seed=st.integers())
@SHARED
def test_one_process_grants_no_more_whatever_becomes_of_redis(
    redis_server: RedisServer, steps: list[Any], seed: int
) -> None:
    async def main() -> None:
        books, link, tasks = Books(), make_link(redis_server), set[asyncio.Task[None]]()
        store, clock = await open_store("sqlite:///:memory:"), Clock()
        at = budgets(store, clock, link)
        rng = random.Random(seed)
        redis_server.flush()
        for word, *given_values in steps:
            if word == "reserve":
                person, place, want, least = given_values
                scopes = [person, place, WORK]
                reserving = books.reserve(at, scopes, max(want, least), least)
                tasks.add(asyncio.create_task(reserving))
            elif word == "settle":
                books.settle(*given_values)
            elif word == "flush":
                redis_server.flush()
            elif word == "save":
                await at.flush()
            elif word == "restart":  # a process that stops waits for its requests
                await asyncio.gather(*tasks)
                while books.open:
                    books.settle(0, 1.0)
                await at.aclose()
                at = budgets(store, clock, link)
            elif word == "wait":
                await asyncio.gather(*tasks)
            else:
                link.away_now, link.deaf = word == "away", word == "deaf"
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        await at.aclose()
        await link.aclose()
        await store.aclose()

    asyncio.run(main())


@given(steps=st.lists(step, max_size=60), whose=st.lists(st.integers(0, 2), min_size=60))
@SHARED
def test_three_processes_grant_no_more_together(
    redis_server: RedisServer, steps: list[Any], whose: list[int]
) -> None:
    async def main() -> None:
        books, tasks = Books(), set[asyncio.Task[None]]()
        links = [make_link(redis_server) for _ in range(3)]
        store, clock = await open_store("sqlite:///:memory:"), Clock()
        processes = [budgets(store, clock, link) for link in links]
        redis_server.flush()
        for (word, *values), which in zip(steps, whose, strict=False):
            if word == "reserve":
                person, place, want, least = values
                scopes = [person, place, WORK]
                reserving = books.reserve(processes[which], scopes, max(want, least), least)
                tasks.add(asyncio.create_task(reserving))
            elif word == "settle":
                books.settle(*values)
            elif word == "save":
                await processes[which].flush()
            elif word == "wait":
                await asyncio.gather(*tasks)
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        for process, link in zip(processes, links, strict=True):
            await process.aclose()
            await link.aclose()
        await store.aclose()

    asyncio.run(main())


@asynccontextmanager
async def refusing(kind: Kind) -> AsyncIterator[None]:
    with pytest.raises(BudgetExceededError) as caught:
        yield
    assert caught.value.scope == kind


async def test_what_is_left_is_granted_and_then_nothing(store: Store, clock: Any) -> None:
    at = budgets(store, clock)
    first = await at.reserve([ADA, HERE, WORK], 80, 10)
    assert first.tokens == 80
    second = await at.reserve([ADA, HERE, WORK], 80, 10)
    assert second.tokens == 20
    with pytest.raises(OverloadedError):  # they may not use it
        await at.reserve([ADA, HERE, WORK], 80, 10)
    at.settle(first, 80)
    at.settle(second, 15)
    at.settle(second, 0)  # a second time changes nothing
    async with refusing("user"):
        await at.reserve([ADA, HERE, WORK], 80, 10)
    assert (await at.reserve([ADA, HERE, WORK], 80, 5)).tokens == 5
    assert (await at.reserve([PEOPLE[1], HERE, WORK], 80, 5)).tokens == 50
    at.settle(await at.reserve([PEOPLE[1], PLACES[1], WORK], 50, 5), 50)
    await at.aclose()


async def test_a_day_ends_at_midnight_and_the_next_begins_anew(store: Store, clock: Any) -> None:
    at = budgets(store, clock)
    clock.now = 20_000 * DAY + 80_000
    late = await at.reserve([ADA], 100, 1)
    at.settle(late, 60)
    late = await at.reserve([ADA], 100, 1)
    at.settle(late, 40)
    with pytest.raises(BudgetExceededError) as caught:
        await at.reserve([ADA], 1, 1)
    assert caught.value.retry_after == 6_400
    clock.now += 6_400
    assert (await at.reserve([ADA], 100, 1)).tokens == 100
    await at.aclose()


async def test_a_process_that_comes_later_knows_the_day(store: Store, clock: Any) -> None:
    first = budgets(store, clock)
    first.settle(await first.reserve([ADA, HERE, WORK], 70, 1), 70)
    await first.aclose()
    second = budgets(store, clock)
    assert (await second.reserve([ADA, PLACES[1], WORK], 99, 1)).tokens == 30
    assert (await second.reserve([PEOPLE[1], HERE, WORK], 99, 1)).tokens == 80
    await second.aclose()


async def test_processes_without_redis_learn_of_one_another_as_they_save(
    store: Store, clock: Any
) -> None:
    one, two = budgets(store, clock), budgets(store, clock)
    for each in (one, two):
        each.settle(await each.reserve([ADA], 30, 1), 30)
        await each.flush()
    assert (await two.reserve([ADA], 99, 1)).tokens == 40
    one.settle(await one.reserve([ADA], 10, 1), 10)
    await one.flush()
    assert (await one.reserve([ADA], 99, 1)).tokens == 30
    await asyncio.gather(one.aclose(), two.aclose())


async def test_use_is_saved_in_the_background_and_again_when_the_store_was_away(
    store: Store, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botkit.limits.budgets.SAVE_AFTER", 0.001)
    away = 2
    add: Callable[..., Any] = store.add_usage
    saved = asyncio.Event()

    async def failing(*values: Any) -> Any:
        nonlocal away
        away -= 1
        if away >= 0:
            raise StoreError("away")
        saved.set()
        return await add(*values)

    monkeypatch.setattr(store, "add_usage", failing)
    at = budgets(store, clock)
    at.settle(await at.reserve([ADA], 30, 1), 25)
    async with asyncio.timeout(5):
        await saved.wait()
    await at.aclose()
    assert (await budgets(store, clock).reserve([ADA], 99, 1)).tokens == 75


async def test_a_store_that_cannot_be_read_denies_nobody(
    store: Store, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = budgets(store, clock)
    with monkeypatch.context() as broken:

        async def failing(*values: Any) -> Any:
            raise StoreError("away")

        broken.setattr(store, "usage_today", failing)
        granted = await at.reserve([ADA], 30, 1)
    assert granted.tokens == 30
    await store.add_usage(int(clock() // DAY), {granted.accounts[0].key: 50})
    assert (await at.reserve([ADA], 99, 1)).tokens == 20  # read as soon as it can be


async def test_redis_that_was_emptied_is_told_what_is_spent(
    store: Store, clock: Any, redis_server: RedisServer
) -> None:
    one, two = (budgets(store, clock, make_link(redis_server)) for _ in range(2))
    held = await one.reserve([ADA], 60, 1)
    redis_server.flush()
    assert (await one.reserve([ADA], 10, 1)).tokens == 10
    assert (await two.reserve([ADA], 99, 1)).tokens == 30
    one.settle(held, 20)
    await one.idle()
    assert (await two.reserve([ADA], 99, 1)).tokens == 40


async def test_who_is_cancelled_while_redis_is_asked_leaves_nothing_reserved(
    store: Store, clock: Any, link: FaultyLink, redis_server: RedisServer
) -> None:
    at = budgets(store, clock, link)
    for _ in range(20):
        task = asyncio.create_task(at.reserve([ADA], 100, 100))
        for _ in range(random.randrange(6)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await at.idle()
    if not task.cancelled():
        at.settle(task.result(), 0)
    await at.idle()
    other = budgets(store, clock, link)
    assert (await other.reserve([ADA], 100, 100)).tokens == 100


async def test_accounts_are_bounded_and_lose_nothing(
    store: Store, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "ACCOUNTS", 10)
    at = budgets(store, clock)
    held = await at.reserve([ADA], 40, 1)
    at.settle(await at.reserve([PEOPLE[1]], 70, 1), 70)
    for number in range(100):
        at.settle(await at.reserve([Scope("user", f"passer-by {number}")], 5, 1), 5)
        await at.flush()
    assert len(at._ledger._accounts) == 10
    assert (await at.reserve([ADA], 99, 1)).tokens == 60
    assert (await at.reserve([PEOPLE[1]], 99, 1)).tokens == 30
    at.settle(held, 0)


async def test_neither_redis_nor_the_database_holds_an_id(
    store: Store, clock: Any, link: FaultyLink, redis_server: RedisServer
) -> None:
    at = budgets(store, clock, link)
    at.settle(await at.reserve([Scope("user", "telegram:4711")], 9, 1), 9)
    await at.aclose()
    client = redis_server.client
    keys = client.keys("*")
    assert len(keys) == 1
    assert client.ttl(keys[0]) > DAY
    assert client.get(keys[0]) == b"9"
    assert b"4711" not in keys[0]
