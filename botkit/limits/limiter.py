"""Rates of turns: who may ask now, and who is told to come back later."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from botkit.limits.lua import lua
from botkit.limits.rates import Rate
from botkit.limits.scopes import Kind, Names, Scope
from botkit.limits.windows import Window, Windows
from botkit.redis_link import RedisLink
from botkit.redis_script import Script

REMEMBERED = 20_000
"""Turns of which it is remembered what was decided, for they may be taken again."""

MARKED_SECONDS = 3600
"""For which Redis remembers that, and so do other processes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a turn may run.

    Fields:
        kind: Whose limit is in the way; None when it may.
        wait: Seconds until it may.
        tell: Whether the person is told; one refusal per window and conversation is.
    """

    kind: Kind | None = None
    wait: float = 0.0
    tell: bool = False


LET_BY = Verdict()


class RateLimiter:
    """Counts turns, each once however often it is taken.

    Args:
        rates: By whose they are.
        names: Of scopes.
        redis: Where processes count together; None counts in this one alone.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        rates: Mapping[Kind, Sequence[Rate]],
        names: Names,
        redis: RedisLink | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rates = {
            kind: [(f":{rate.amount}/{rate.seconds}", rate) for rate in some]
            for kind, some in rates.items()
        }
        self._names = names
        self._clock = clock
        self._script = None if redis is None else Script(redis, lua("rate"))
        self._windows = Windows(clock)
        self._decided: OrderedDict[str, Verdict] = OrderedDict()
        self._told: OrderedDict[str, float] = OrderedDict()

    async def take(
        self, turn: Sequence[str], scopes: Sequence[Scope], where: str, lane: str = ""
    ) -> Verdict:
        """Count a turn, or refuse it.

        Args:
            turn: Ids of its events. Taken again, with no new one, it is not counted again.
            scopes: Whose it is.
            where: The conversation that a refusal is told in.
            lane: Turns of another lane are counted apart.
        """
        decided = [self._decided.get(each) for each in turn]
        if decided[-1] is not None and None not in decided:
            return decided[-1]
        verdict = await self._decide(turn[-1], self._windows_of(scopes, lane), where)
        for each in turn:
            _put(self._decided, each, verdict)
        return verdict

    async def _decide(self, turn: str, windows: Sequence[Window], where: str) -> Verdict:
        if not windows:
            return LET_BY
        closed = self._windows.full(windows)
        if closed is not None:
            window, wait = closed
            return Verdict(window.kind, wait, self._tells(where, window.rate.seconds))
        # Counted before Redis is asked: others come meanwhile.
        at = self._windows.add(windows)
        verdict = await self._asked(turn, windows, where)
        if verdict.kind is not None:
            self._windows.remove(windows, at)
        return verdict

    async def _asked(self, turn: str, windows: Sequence[Window], where: str) -> Verdict:
        """What Redis says; where it is away, the turn is let by."""
        if self._script is None:
            return LET_BY
        marks = [self._mark("turn", turn), self._mark("told", where)]
        keys = [f"botkit:rate:{each.key}" for each in windows]
        sizes: list[int | str] = []
        for each in windows:
            sizes += (each.rate.amount, 1000 * each.rate.seconds)
        now = int(1000 * self._clock())
        answer = await self._script.run([*marks, *keys], [now, 1000 * MARKED_SECONDS, *sizes])
        if answer is None or answer == b"ok":
            return LET_BY
        word, number, wait = answer.split()
        window = windows[int(number) - 1]
        tell = word == b"tell" and self._tells(where, window.rate.seconds)
        return Verdict(window.kind, int(wait) / 1000, tell)

    def _windows_of(self, scopes: Sequence[Scope], lane: str) -> list[Window]:
        found = []
        for scope in scopes:
            rates = self._rates.get(scope.kind)
            if rates:
                name = self._names.name(scope, lane)
                found += [Window(name + suffix, rate, scope.kind) for suffix, rate in rates]
        return found

    def _tells(self, where: str, seconds: float) -> bool:
        now = self._clock()
        if self._told.get(where, 0.0) > now:
            return False
        _put(self._told, where, now + seconds)
        return True

    def _mark(self, what: str, of: str) -> str:
        return f"botkit:{what}:{self._names.name(Scope('conversation', of), what)}"


def _put(table: OrderedDict[str, T], key: str, value: T) -> None:
    """Remember something, and forget what is oldest."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
