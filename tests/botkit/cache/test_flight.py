"""Many listeners, one generation: at any interleaving."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import run_virtually

from botkit.cache.flight import Flights, Say
from botkit.errors import OverloadedError

WORDS = [str(number) for number in range(6)]


@dataclass
class Generations:
    """Says the words, one a second."""

    started: int = 0
    running: int = 0
    error: Exception | None = None
    fails_at: int = 3

    async def work(self, say: Say[str]) -> None:
        self.started += 1
        self.running += 1
        try:
            for number, word in enumerate(WORDS):
                await asyncio.sleep(1)
                if self.error is not None and number == self.fails_at:
                    raise self.error
                say(word)
        finally:
            self.running -= 1


async def listen(
    flights: Flights[str], generations: Generations, after: float, words: int, who: str = "ada"
) -> list[str]:
    """Join ``after`` seconds, and leave after so many words."""
    await asyncio.sleep(after)
    heard: list[str] = []
    joined = flights.join("key", who, generations.work, lambda: None)
    async with aclosing(joined) as said:
        async for word in said:
            heard.append(word)
            if len(heard) == words:
                break
    return heard


@given(
    listeners=st.lists(
        st.tuples(st.floats(0, 8), st.integers(1, len(WORDS) + 1)), min_size=1, max_size=8
    )
)
def test_everybody_hears_the_same_from_its_beginning(listeners: list[tuple[float, int]]) -> None:
    async def main() -> None:
        flights: Flights[str] = Flights()
        generations = Generations()
        heard = await asyncio.gather(
            *(listen(flights, generations, after, words) for after, words in listeners)
        )
        assert heard == [WORDS[:words] for _, words in listeners]
        assert generations.running == 0
        assert "key" not in flights
        if all(after < 1 for after, _ in listeners):
            assert generations.started == 1

    run_virtually(main())


@given(
    cancels=st.lists(st.tuples(st.floats(0, 4), st.floats(0.1, 9)), min_size=1, max_size=6),
    stays=st.booleans(),
)
def test_whoever_is_cancelled_takes_it_from_nobody(
    cancels: list[tuple[float, float]], stays: bool
) -> None:
    async def main() -> None:
        flights: Flights[str] = Flights()
        generations = Generations()
        leaving = [
            asyncio.create_task(listen(flights, generations, after, 99)) for after, _ in cancels
        ]
        loop = asyncio.get_running_loop()
        for task, (after, seconds) in zip(leaving, cancels, strict=True):
            loop.call_later(after + seconds, task.cancel)
        staying = listen(flights, generations, 4.0, 99) if stays else asyncio.sleep(0, WORDS)
        assert await staying == WORDS
        await asyncio.gather(*leaving, return_exceptions=True)
        assert generations.running == 0

    run_virtually(main())


async def test_the_last_who_leaves_ends_it_at_once() -> None:
    flights: Flights[str] = Flights()
    generations = Generations()

    async def forever(say: Say[str]) -> None:
        generations.running += 1
        try:
            say("a")
            await asyncio.Event().wait()
        finally:
            generations.running -= 1

    first = flights.join("key", 1, forever, lambda: None)
    second = flights.join("key", 1, forever, lambda: None)
    assert [await anext(first), await anext(second)] == ["a", "a"]
    await first.aclose()
    assert generations.running == 1
    await second.aclose()
    assert generations.running == 0
    assert "key" not in flights


@pytest.mark.parametrize("fails_at", [0, 3])
def test_the_same_person_gets_the_same_error(fails_at: int) -> None:
    async def main() -> None:
        flights: Flights[str] = Flights()
        error = OverloadedError("full", retry_after=1)
        generations = Generations(error=error, fails_at=fails_at)
        heard = await asyncio.gather(
            *(listen(flights, generations, 0, 99) for _ in range(5)), return_exceptions=True
        )
        assert heard == [error] * 5
        assert generations.started == 1

    run_virtually(main())


def test_an_error_of_one_person_is_not_another_ones() -> None:
    async def main() -> None:
        flights: Flights[str] = Flights()
        limited = Generations(error=OverloadedError("your limit", retry_after=1), fails_at=0)
        free = Generations()
        refused, *heard = await asyncio.gather(
            listen(flights, limited, 0.0, 99, "ada"),
            listen(flights, free, 0.1, 99, "bob"),
            listen(flights, free, 0.2, 99, "eve"),
            return_exceptions=True,
        )
        assert refused is limited.error
        assert heard == [WORDS, WORDS]
        assert (limited.started, free.started) == (1, 1)

    run_virtually(main())
