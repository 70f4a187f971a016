"""Events of running jobs, from the engine's thread to the asyncio side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from botkit_models.engine.job import Event, Failed, Job, Tokens
from botkit_models.engine.waiting import WaitingJobs

Post = Callable[[Event], None]
MakeJob = Callable[[Post], Job]


class EventStream:
    """``(index, event)`` of several jobs, until each has ended or been stopped.

    Args:
        make: One function per job; gets what the job is to post its events with.
    """

    def __init__(self, make: Sequence[MakeJob]) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        self._jobs = [one(self._poster(index)) for index, one in enumerate(make)]
        self._open = set(range(len(self._jobs)))

    def submit(self, waiting: WaitingJobs) -> None:
        """Queue the jobs.

        Raises:
            OverloadedError: There is no room for all of them.
            CompletionUnavailableError: The engine is closing.
        """
        waiting.add(self._jobs)

    def submit_one(self, index: int, waiting: WaitingJobs) -> None:
        """Queue one of the jobs.

        Raises:
            OverloadedError: There is no room for it.
            CompletionUnavailableError: The engine is closing.
        """
        waiting.add(self._jobs[index : index + 1])

    def stop(self, index: int) -> None:
        """Let a job go: its slot is free within one dispatch, its events are over."""
        self._jobs[index].cancelled.set()
        self._open.discard(index)

    def close(self) -> None:
        """Let all jobs go."""
        for index in range(len(self._jobs)):
            self.stop(index)

    def __len__(self) -> int:
        """How many jobs there are."""
        return len(self._jobs)

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        """The next event.

        Raises:
            CompletionError: A job failed.
        """
        while self._open:
            index, event = await self._events.get()
            if index not in self._open:
                continue
            if isinstance(event, Failed):
                raise event.error
            if not isinstance(event, Tokens):
                self._open.discard(index)
            return index, event
        raise StopAsyncIteration

    def _poster(self, index: int) -> Post:
        def post(event: Event) -> None:
            # A closed loop has nobody left to tell.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._events.put_nowait, (index, event))

        return post
