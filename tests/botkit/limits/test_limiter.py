"""Rates of turns, in this process and between processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis_server import RedisServer

from botkit.limits import limiter as limiter_module
from botkit.limits import windows as windows_module
from botkit.limits.limiter import RateLimiter, Verdict
from botkit.limits.rates import Rate
from botkit.limits.scopes import Kind, Names, Scope
from botkit.limits.windows import Window, Windows
from botkit.redis_link import RedisLink

ADA, BOB = Scope("user", "p:ada"), Scope("user", "p:bob")
HERE, THERE = Scope("conversation", "here"), Scope("conversation", "there")
WORK = Scope("workspace", "p:w")
NAMES = Names(b"key")
_turns = count()


class Asker:
    """Takes turns, each a new one unless it is named."""

    def __init__(
        self,
        clock: Any,
        rates: Mapping[Kind, Sequence[Rate]],
        redis: RedisLink | None = None,
    ) -> None:
        self.limiter = RateLimiter(rates, NAMES, redis, clock)

    async def take(
        self, *scopes: Scope, turn: str = "", where: str = "here", lane: str = ""
    ) -> Verdict:
        return await self.limiter.take([turn or f"turn {next(_turns)}"], scopes, where, lane)

    async def let_by(self, times: int, *scopes: Scope) -> int:
        """How many of so many turns may run."""
        return sum([(await self.take(*scopes)).kind is None for _ in range(times)])


@given(
    amount=st.integers(1, 5),
    pauses=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.5, 9.9, 10.0, 11.0]), max_size=60),
)
def test_no_window_ever_holds_more_wherever_it_begins(amount: int, pauses: list[float]) -> None:
    now = 1_000.0
    windows = Windows(lambda: now)
    here = [Window("k", Rate(amount, 10), "user")]
    taken: list[float] = []
    for pause in pauses:
        now += pause
        closed = windows.full(here)
        within = [at for at in taken if at > now - 10]
        assert (closed is not None) == (len(within) >= amount)
        if closed is None:
            windows.add(here)
            taken.append(now)
        else:
            assert closed[1] == within[-amount] + 10 - now


async def test_who_is_quick_is_told_once_and_let_by_after_the_window(clock: Any) -> None:
    asker = Asker(clock, {"user": [Rate(3, 60)]})
    assert await asker.let_by(3, ADA) == 3
    clock.now += 20
    assert await asker.take(ADA) == Verdict("user", 40.0, tell=True)
    assert [await asker.take(ADA) for _ in range(1000)] == [Verdict("user", 40.0)] * 1000
    assert await asker.take(ADA, where="elsewhere") == Verdict("user", 40.0, tell=True)
    assert await asker.let_by(4, BOB) == 3
    clock.now += 40
    assert await asker.let_by(4, ADA) == 3


async def test_the_tightest_of_all_limits_holds_and_a_refusal_counts_nowhere(clock: Any) -> None:
    rates: dict[Kind, list[Rate]] = {
        "user": [Rate(2, 10), Rate(3, 100)],
        "conversation": [Rate(3, 10)],
        "workspace": [Rate(5, 10)],
    }
    asker = Asker(clock, rates)
    assert await asker.let_by(5, ADA, HERE, WORK) == 2
    assert await asker.let_by(5, BOB, HERE, WORK) == 1  # refused Ada did not use up the place
    assert (await asker.take(BOB, HERE, WORK)).kind == "conversation"
    assert await asker.let_by(5, BOB, THERE, WORK) == 1
    assert (await asker.take(Scope("user", "eve"), THERE, WORK)).kind is None
    assert (await asker.take(Scope("user", "mallory"), THERE, WORK)).kind == "workspace"
    clock.now += 10
    assert await asker.let_by(5, ADA, HERE, WORK) == 1
    assert await asker.take(ADA, HERE, WORK) == Verdict("user", 90.0)


async def test_a_turn_that_is_taken_again_gets_the_same_answer_and_is_not_counted(
    clock: Any,
) -> None:
    asker = Asker(clock, {"user": [Rate(2, 60)]})
    for _ in range(20):
        assert (await asker.take(ADA, turn="first")).kind is None
    assert (await asker.take(ADA, turn="second")).kind is None
    for _ in range(3):  # its refusal was not sent before the crash: it is told again
        assert await asker.take(ADA, turn="third") == Verdict("user", 60.0, tell=True)
    take = asker.limiter.take
    clock.now += 60
    assert (await take(["a", "b"], [ADA], "here")).kind is None
    assert (await take(["a", "b"], [ADA], "here")).kind is None
    assert (await take(["a", "b", "c"], [ADA], "here")).kind is None  # one that came meanwhile
    assert (await take(["d"], [ADA], "here")).kind == "user"


async def test_lanes_are_counted_apart(clock: Any) -> None:
    asker = Asker(clock, {"user": [Rate(1, 60)]})
    assert await asker.let_by(2, ADA) == 1
    assert (await asker.take(ADA, lane="rights")).kind is None
    assert (await asker.take(ADA, lane="rights")).kind == "user"


async def test_what_is_remembered_is_bounded(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter_module, "REMEMBERED", 10)
    monkeypatch.setattr(windows_module, "KEYS", 10)
    asker = Asker(clock, {"user": [Rate(1, 60)]})
    for number in range(50):
        await asker.take(Scope("user", str(number)), where=str(number))
        await asker.take(Scope("user", str(number)), where=str(number))
    inside = asker.limiter
    assert len(inside._decided) == len(inside._told) == len(inside._windows._times) == 10


async def test_processes_count_together_in_redis(clock: Any, link: RedisLink) -> None:
    rates: dict[Kind, list[Rate]] = {"user": [Rate(3, 60)], "workspace": [Rate(4, 60)]}
    one, two = Asker(clock, rates, link), Asker(clock, rates, link)
    assert await one.let_by(2, ADA, WORK) == 2
    clock.now += 30
    assert await two.let_by(2, ADA, WORK) == 1
    assert await two.take(ADA, WORK, where="w2") == Verdict("user", 30.0, tell=True)
    assert await one.take(ADA, WORK, where="w2") == Verdict("user", 30.0)  # told by the other
    assert await one.let_by(2, BOB, WORK) == 1
    assert (await two.take(BOB, WORK)).kind == "workspace"
    clock.now += 30
    assert await one.let_by(5, ADA, WORK) == 2  # one is from half a minute ago


async def test_a_turn_that_another_process_takes_again_is_not_counted(
    clock: Any, link: RedisLink
) -> None:
    rates: dict[Kind, list[Rate]] = {"user": [Rate(2, 60)]}
    for _ in range(5):
        assert (await Asker(clock, rates, link).take(ADA, turn="crashed")).kind is None
    assert await Asker(clock, rates, link).let_by(3, ADA) == 1


async def test_redis_emptied_lost_or_deaf_lifts_nothing_in_this_process(
    clock: Any, link: Any, redis_server: RedisServer
) -> None:
    asker = Asker(clock, {"user": [Rate(4, 60)]}, link)
    assert await asker.let_by(1, ADA) == 1
    redis_server.flush()
    assert await asker.let_by(1, ADA) == 1
    link.away_now = True
    assert await asker.let_by(1, ADA) == 1
    link.away_now, link.deaf = False, True
    assert await asker.let_by(5, ADA) == 1
    link.deaf = False
    assert await asker.let_by(5, ADA) == 0


async def test_redis_knows_no_ids_and_forgets(
    clock: Any, link: RedisLink, redis_server: RedisServer
) -> None:
    asker = Asker(clock, {"user": [Rate(1, 60)], "conversation": [Rate(9, 10)]}, link)
    await asker.take(ADA, HERE, turn="event 12345")
    await Asker(clock, {"user": [Rate(1, 60)]}, link).take(ADA, HERE)
    client = redis_server.client
    keys = client.keys("*")
    assert len(keys) == 5
    assert all(key.startswith(b"botkit:") and client.pttl(key) > 0 for key in keys)
    shown = b" ".join([*keys, client.dump(keys[0])])
    assert not any(word in shown for word in (b"ada", b"here", b"12345"))
