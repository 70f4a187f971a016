"""Equal requests at the same time cost one: the first begins, the others listen.

A flight is a task of its own, so that nobody who leaves takes it from those who stay. When the last
one has left it is cancelled, and the engine has its slot back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from botkit.errors import CompletionUnavailableError

T = TypeVar("T")

Say = Callable[[T], None]
Work = Callable[[Say[T]], Awaitable[None]]
"""Says everything, piece by piece."""


class Flights(Generic[T]):
    """What is under way, by key."""

    def __init__(self) -> None:
        self._running: dict[str, _Flight[T]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._running

    async def join(
        self, key: str, who: object, work: Work[T], shared: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """Everything that the flight of ``key`` says, from its beginning, and its error.

        An error may be about who began: that somebody is over a limit. It is theirs alone;
        whoever is somebody else and has heard nothing yet begins anew.

        Args:
            key: What is asked.
            who: For whom.
            work: Says it all, if nobody says it yet.
            shared: Called before the first piece when somebody else began.
        """
        while True:
            flight = self._running.get(key)
            began = flight is None
            if flight is None:
                flight = self._running[key] = _Flight(work, who, self._remover(key))
            flight.listeners += 1
            at = 0
            try:
                while await flight.more(at):
                    if not (began or at):
                        shared()
                    while at < len(flight.said):
                        at += 1
                        yield flight.said[at - 1]
            finally:
                await flight.leave()
            if flight.error is None:
                return
            if began or at or flight.who == who:
                raise flight.error

    def _remover(self, key: str) -> Callable[[], None]:
        def remove() -> None:
            del self._running[key]

        return remove


class _Flight(Generic[T]):
    """One generation; ``ended`` is called once nobody may join any more."""

    def __init__(self, work: Work[T], who: object, ended: Callable[[], None]) -> None:
        self.who = who
        self.said: list[T] = []
        self.listeners = 0
        self.error: Exception | None = None
        self._over = False
        self._ended = ended
        self._waiting: list[asyncio.Future[None]] = []
        self._task = asyncio.create_task(self._run(work))
        cut_off = CompletionUnavailableError("The reply was cut off.")
        self._task.add_done_callback(lambda task: self._end(cut_off))

    async def more(self, at: int) -> bool:
        """Wait for what comes after ``at`` pieces; False at the end."""
        while at == len(self.said) and not self._over:
            news = asyncio.get_running_loop().create_future()
            self._waiting.append(news)
            await news
        return at < len(self.said)

    async def leave(self) -> None:
        """One listener less; after the last, the generation is cancelled and awaited."""
        self.listeners -= 1
        if not self.listeners and not self._over:
            self._end(CompletionUnavailableError("The reply was given up."))
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self, work: Work[T]) -> None:
        try:
            await work(self._say)
        except Exception as error:
            self._end(error)
        else:
            self._end(None)

    def _say(self, piece: T) -> None:
        self.said.append(piece)
        self._wake()

    def _end(self, error: Exception | None) -> None:
        if not self._over:
            self._over = True
            self.error = error
            self._ended()
            self._wake()

    def _wake(self) -> None:
        for news in self._waiting:
            if not news.done():
                news.set_result(None)
        self._waiting.clear()
