"""Jobs that wait for a slot, first come first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from botkit.errors import CompletionUnavailableError, OverloadedError
from botkit_models.engine.job import Failed, Job

SMOOTHING = 0.2
FIRST_GUESS_SECONDS = 2.0


class WaitingJobs:
    """A bounded queue between the asyncio side and the engine's thread.

    Args:
        slots: How many jobs run at once.
        capacity: How many may wait beyond those that a free slot takes at once.
    """

    def __init__(self, slots: int, capacity: int) -> None:
        self._slots, self._capacity = slots, capacity
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._running = 0
        self._closed = False
        self._seconds_per_job = FIRST_GUESS_SECONDS

    def add(self, jobs: Sequence[Job]) -> None:
        """Queue all of ``jobs`` or none.

        Raises:
            OverloadedError: More would wait than may; says after how many seconds to come back.
            CompletionUnavailableError: The engine is closing.
        """
        with self._changed:
            if self._closed:
                raise CompletionUnavailableError("The model is shutting down.")
            # Nobody waits for these any more; they take no place.
            self._jobs = deque(job for job in self._jobs if not job.cancelled.is_set())
            free = max(self._slots - self._running, 0)
            if len(self._jobs) + len(jobs) > self._capacity + free:
                raise OverloadedError(
                    f"The model is busy: {self._running} replies are being written and "
                    f"{len(self._jobs)} are waiting.",
                    retry_after=self._retry_after(),
                )
            self._jobs.extend(jobs)
            self._changed.notify()

    def take(self, *, wait: bool) -> Job | None:
        """The next job, or None; with ``wait``, sleep until there is one or the queue closes.

        A job that was cancelled while it waited is dropped.
        """
        with self._changed:
            while True:
                while self._jobs:
                    job = self._jobs.popleft()
                    if not job.cancelled.is_set():
                        self._running += 1
                        return job
                if self._closed or not wait:
                    return None
                self._changed.wait()

    def done(self, seconds: float) -> None:
        """A job that was taken has ended, ``seconds`` after it got its slot."""
        with self._changed:
            self._running -= 1
            self._seconds_per_job += SMOOTHING * (seconds - self._seconds_per_job)

    def close(self) -> None:
        """Refuse what comes, fail what waits."""
        with self._changed:
            self._closed = True
            jobs, self._jobs = list(self._jobs), deque()
            self._changed.notify_all()
        for job in jobs:
            job.post(Failed(CompletionUnavailableError("The model is shutting down.")))

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._jobs

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def _retry_after(self) -> float:
        """Seconds until a place in the queue is likely to be free."""
        return max(1.0, self._seconds_per_job * (len(self._jobs) + 1) / self._slots)
