"""One priority's jobs in the order in which they are to run: clients take turns, by their work.

Start-time fair queueing (Goyal, Vin & Cheng 1996, "Start-time Fair Queuing"): a job's tag is the
work that its client had queued before it, and the smallest tag runs next. So a client with fifty
long prompts delays one with a single question by about one job, not by fifty; and where everybody
is the same client, or each has one job, the order is first come first served.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence

from botkit_models.engine.job import Job

_LEAST_WORK = 1e-9  # nothing is free: a client's jobs keep their order
_Entry = tuple[float, int, float, Job]  # tag, number, the client's next tag, job


class FairQueue:
    """Jobs that wait. Not safe to share between threads without a lock.

    Args:
        work: What a job costs, in any unit; asked when it is added.
    """

    def __init__(self, work: Callable[[Job], float]) -> None:
        self._work = work
        self._jobs: list[_Entry] = []  # a heap
        self._ends: dict[str, float] = {}  # client: the tag that its next job gets
        self._now = 0.0
        self._numbers = itertools.count()

    def add(self, jobs: Sequence[Job]) -> None:
        """Queue jobs, each behind its client's others."""
        for entry in self._entries(jobs, self._ends):
            heapq.heappush(self._jobs, entry)

    def with_more(self, jobs: Sequence[Job]) -> list[Job]:
        """The order in which everything would be taken were ``jobs`` added."""
        entries = [*self._jobs, *self._entries(jobs, dict(self._ends))]
        return [job for *_, job in sorted(entries, key=lambda entry: entry[:2])]

    def take(self) -> Job | None:
        """The next job, or None."""
        if not self._jobs:
            return None
        tag, _, _, job = heapq.heappop(self._jobs)
        self._now = max(self._now, tag)
        self._forget()
        return job

    def remove(self, gone: Callable[[Job], bool]) -> list[Job]:
        """Take out every job of which ``gone`` says so, and return them.

        They are as if they had never been queued, but for jobs behind them, whose tags stay.
        """
        found = sorted(entry for entry in self._jobs if gone(entry[-1]))
        if found:
            self._jobs = [entry for entry in self._jobs if not gone(entry[-1])]
            heapq.heapify(self._jobs)
            self._give_credit(found)
            self._forget()
        return [job for *_, job in found]

    def __len__(self) -> int:
        return len(self._jobs)

    def _entries(self, jobs: Sequence[Job], ends: dict[str, float]) -> list[_Entry]:
        """Jobs with their tags; ``ends`` is brought up to date."""
        entries: list[_Entry] = []
        for job in jobs:
            client = job.terms.client
            tag = max(self._now, ends.get(client, 0.0))
            ends[client] = tag + max(self._work(job), _LEAST_WORK)
            entries.append((tag, next(self._numbers), ends[client], job))
        return entries

    def _give_credit(self, gone: Sequence[_Entry]) -> None:
        """Nobody pays for what was not done; ``gone`` ascends."""
        first = {job.terms.client: tag for tag, *_, job in reversed(gone)}
        for _, _, end, job in self._jobs:
            client = job.terms.client
            if client in first:
                first[client] = max(first[client], end)
        self._ends |= first

    def _forget(self) -> None:
        """Forget whose turn no longer matters: clients with nothing queued ahead of now."""
        if not self._jobs:
            self._now, self._ends = 0.0, {}
        elif len(self._ends) > 2 * len(self._jobs) + 16:
            self._ends = {name: end for name, end in self._ends.items() if end > self._now}
