"""Equal requests at the same time cost one: the first begins, the others listen.

A flight is a task of its own, so that nobody who leaves takes it from those who stay. When the last
one has left it is cancelled, and the engine has its slot back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from botkit.errors import CompletionUnavailableError

T = TypeVar("T")

Begin = Callable[[], AsyncGenerator[T, None]]


class Flights(Generic[T]):
    """What is under way, by key."""

    def __init__(self) -> None:
        self._running: dict[str, _Flight[T]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._running

    async def join(
        self, key: str, who: object, begin: Begin[T], shared: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """Everything that the flight of ``key`` says, from its beginning, and its error.

        An error may be about who began: that somebody is over a limit. It is theirs alone;
        whoever is somebody else and has heard nothing yet begins anew.

        Args:
            key: What is asked.
            who: For whom.
            begin: Says it all, if nobody says it yet.
            shared: Called when somebody else began.
        """
        while True:
            flight = self._running.get(key)
            began = flight is None
            if flight is None:
                flight = self._running[key] = _Flight(begin(), who)
                flight.start(lambda: self._running.pop(key, None))
            heard = False
            try:
                async with aclosing(flight.listen()) as pieces:
                    async for piece in pieces:
                        if not (began or heard):
                            shared()
                        heard = True
                        yield piece
                return
            except Exception:
                if began or heard or flight.who == who:
                    raise


class _Flight(Generic[T]):
    """One generation and its listeners."""

    def __init__(self, pieces: AsyncGenerator[T, None], who: object) -> None:
        self.who = who
        self._pieces = pieces
        self._said: list[T] = []
        self._news = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None
        self._listeners = 0

    def start(self, remove: Callable[[], object]) -> None:
        """Begin; ``remove`` is called once nobody may join any more."""
        self._remove = remove
        self._task = asyncio.create_task(self._run())
        cut_off = CompletionUnavailableError("The reply was cut off.")
        self._task.add_done_callback(lambda task: self._end(cut_off))

    async def listen(self) -> AsyncGenerator[T, None]:
        """What was said so far, and the rest as it comes."""
        self._listeners += 1
        at = 0
        try:
            while True:
                while at < len(self._said):
                    yield self._said[at]
                    at += 1
                if self._ended:
                    break
                await self._news.wait()
            if self._error is not None:
                raise self._error
        finally:
            self._listeners -= 1
            if not self._listeners and not self._ended:
                await self._abandon()

    async def _abandon(self) -> None:
        """Cancel the generation, and wait until it is."""
        self._end(CompletionUnavailableError("The reply was given up."))
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    self._said.append(piece)
                    self._wake()
        except Exception as error:
            self._end(error)
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if not self._ended:
            self._ended = True
            self._error = error
            self._remove()
            self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
