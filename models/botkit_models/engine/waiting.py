"""Jobs that wait for a slot: bounded, interactive ones first, and honest about how long it takes.

Batch work never holds the last slot (where there are two), so that a person who asks meanwhile
waits for no more than a round; and it is not starved: of eight jobs that get a slot, one is a batch
job if any waits. Within a priority, clients take turns (:mod:`botkit_models.engine.fair_queue`).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

from botkit.errors import CompletionUnavailableError, OverloadedError
from botkit_models.engine.fair_queue import FairQueue
from botkit_models.engine.forecast import Forecast, starts
from botkit_models.engine.job import Failed, Job
from botkit_models.engine.terms import Priority

BATCH_SHARE = 8  # one slot in so many goes to batch work that waits
LEAST_WAIT = 1.0  # seconds: what a client is told to wait at the least


class WaitingJobs:
    """A bounded queue between the asyncio side and the engine's thread.

    Args:
        slots: How many jobs run at once.
        capacity: How many of each priority may wait beyond those that a free slot takes at once.
        clock: Seconds that only grow; deadlines are on it.
    """

    def __init__(
        self, slots: int, capacity: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.forecast = Forecast()
        self._slots, self._capacity = slots, capacity
        self._queues: dict[Priority, FairQueue] = {
            "interactive": FairQueue(self.forecast.work),
            "batch": FairQueue(self.forecast.work),
        }
        self._changed = threading.Condition()
        self._running: list[Job] = []
        self._passed = 0  # interactive jobs taken while batch work waits
        self._soonest = math.inf  # no deadline is before
        self._closed = False

    def add(self, jobs: Sequence[Job]) -> None:
        """Queue all of ``jobs``, which are on the same terms, or none.

        Raises:
            OverloadedError: More would wait than may, or they would wait beyond their deadline;
                says after how many seconds to come back.
            CompletionUnavailableError: The engine is closing.
        """
        if not jobs:
            return
        with self._changed:
            if self._closed:
                raise CompletionUnavailableError("The model is shutting down.")
            # Nobody waits for these any more; they take no place.
            for one in self._queues.values():
                one.remove(_is_cancelled)
            queue, terms = self._queues[jobs[0].terms.priority], jobs[0].terms
            free = max(self._slots - len(self._running), 0)
            excess = len(queue) + len(jobs) - self._capacity - free
            if excess > 0:
                raise self._overloaded(self._until_room(jobs, free, excess))
            if terms.deadline is not None:
                patience = max(terms.deadline - self.clock(), 0.0)
                late = self._last_start(jobs) - patience
                if late > 0:
                    raise self._overloaded(late, ", too many for your deadline")
                self._soonest = min(self._soonest, terms.deadline)
            queue.add(jobs)
            self._changed.notify()

    def take(self, *, wait: bool) -> Job | None:
        """The next job, or None; with ``wait``, sleep until there is one or the queue closes.

        A job that was cancelled while it waited is dropped.
        """
        with self._changed:
            while True:
                job = self._next()
                if job is not None:
                    self._running.append(job)
                    return job
                if self._closed or not wait:
                    return None
                self._changed.wait()

    def done(self, job: Job) -> None:
        """A job that was taken has ended, however."""
        with self._changed:
            self._leave(job)
            self.forecast.ended(job)

    def expired(self) -> list[Job]:
        """Take out the jobs whose deadline has passed while they waited."""
        now = self.clock()
        if now < self._soonest:
            return []
        with self._changed:
            gone: list[Job] = []
            for queue in self._queues.values():
                gone += queue.remove(lambda job: is_late(job, now))
            left = [job for queue in self._queues.values() for job in queue.with_more([])]
            self._soonest = min((job.terms.deadline or math.inf for job in left), default=math.inf)
            return gone

    def close(self) -> None:
        """Refuse what comes, fail what waits."""
        with self._changed:
            self._closed = True
            jobs = [
                job for queue in self._queues.values() for job in queue.remove(lambda job: True)
            ]
            self._changed.notify_all()
        for job in jobs:
            job.post(Failed(CompletionUnavailableError("The model is shutting down.")))

    def count(self, priority: Priority) -> int:
        """How many of a priority wait."""
        return len(self._queues[priority])

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(queue) for queue in self._queues.values())

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not len(self)

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def _next(self) -> Job | None:
        """Take the next job that somebody still waits for out of its queue."""
        for queue in self._queues.values():
            queue.remove(_is_cancelled)
        interactive, batch = self._queues["interactive"], self._queues["batch"]
        may_batch = len(batch) > 0 and self._batch_may_run()
        if may_batch and (not len(interactive) or self._passed >= BATCH_SHARE - 1):
            self._passed = 0
            return batch.take()
        self._passed = self._passed + 1 if may_batch and len(interactive) else 0
        return interactive.take()

    def _batch_may_run(self) -> bool:
        running = sum(job.terms.priority == "batch" for job in self._running)
        return running < max(self._slots - 1, 1)

    def _leave(self, job: Job) -> None:
        self._running = [one for one in self._running if one is not job]

    def _overloaded(self, seconds: float, why: str = "") -> OverloadedError:
        return OverloadedError(
            f"The model is busy: {len(self._running)} replies are being written and "
            f"{len(self)} are waiting{why}.",
            retry_after=max(LEAST_WAIT, seconds),
        )

    def _until_room(self, jobs: Sequence[Job], free: int, places: int) -> float:
        """Seconds until so many places in the queue of ``jobs`` are likely to be free.

        As soon as the job with the least left ends, or as often as jobs end on the whole: with many
        slots, one of many ends sooner than is expected of each.
        """
        order = self._starts(jobs)
        priority = jobs[0].terms.priority
        mine = [place for place, (job, _) in enumerate(order) if job.terms.priority == priority]
        # Those that free slots take at once make no room.
        last = mine[free + places - 1]
        mean = sum(self.forecast.work(job) for job, _ in order) / len(order)
        return min(order[last][1], (last + 1 - free) * mean)

    def _last_start(self, jobs: Sequence[Job]) -> float:
        """After how many seconds the last of ``jobs`` is likely to have a slot, were they added."""
        mine = {id(job) for job in jobs}
        return max(at for job, at in self._starts(jobs) if id(job) in mine)

    def _starts(self, more: Sequence[Job]) -> list[tuple[Job, float]]:
        """Every waiting job, and when it is likely to get a slot."""
        extra = {name: [job for job in more if job.terms.priority == name] for name in self._queues}
        first, second = (queue.with_more(extra[name]) for name, queue in self._queues.items())
        order: list[Job] = []
        while first or second:
            order += first[: BATCH_SHARE - 1] + second[:1]
            first, second = first[BATCH_SHARE - 1 :], second[1:]
        work = self.forecast.work
        times = starts([work(job) for job in self._running], list(map(work, order)), self._slots)
        return list(zip(order, times, strict=True))


def is_late(job: Job, now: float) -> bool:
    """Whether a job's deadline has passed."""
    return job.terms.deadline is not None and job.terms.deadline <= now


def _is_cancelled(job: Job) -> bool:
    return job.cancelled.is_set()
