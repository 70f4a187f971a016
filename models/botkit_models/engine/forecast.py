"""How long work will take, from what the engine has done so far.

Reading and writing are measured apart, in seconds of the engine per token, recent dispatches
counting most. How long a reply will be is not known, only how long it may be; what is expected of
it is the mean of the recent replies' lengths, up to its budget. Replies that a budget cut short
say only "at least so long": the mean is that of Kaplan & Meier's estimator (1958).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from botkit_models.engine.job import Job

FADE = 0.98  # per dispatch: about fifty of them count
REPLIES = 64
FIRST_READ, FIRST_WRITE = 1 / 200, 1 / 40  # seconds per token, before anything is measured
FIRST_REPLY = 128  # tokens, likewise


class Pace:
    """Seconds per token of the last dispatches, weighted by their tokens."""

    def __init__(self, first_guess: float) -> None:
        self._tokens, self._seconds = 1.0, first_guess

    def add(self, tokens: int, seconds: float) -> None:
        """A dispatch has done ``tokens`` in ``seconds``."""
        self._tokens = FADE * self._tokens + tokens
        self._seconds = FADE * self._seconds + seconds

    @property
    def seconds(self) -> float:
        """Per token."""
        return self._seconds / self._tokens


class Forecast:
    """What the engine's thread has seen, and what follows from it for the work that waits."""

    def __init__(self) -> None:
        self.reading, self.writing = Pace(FIRST_READ), Pace(FIRST_WRITE)
        self._fresh = Pace(1.0)  # tokens that had to be read, per token of text
        self._replies: deque[tuple[int, bool]] = deque([(FIRST_REPLY, True)], REPLIES)
        self._share: list[tuple[int, float]] | None = None
        self._expected: dict[tuple[int, int], float] = {}

    def ended(self, job: Job) -> None:
        """A job that had a slot has ended: finished, or let go."""
        if job.read:
            self._fresh.add(len(job.text), job.read)
        if job.written:
            # A reply that used its budget up might have gone on.
            self._replies.append((job.written, job.budget_left > 0))
            self._share = None
            self._expected.clear()

    def work(self, job: Job) -> float:
        """Seconds of the engine that a job still takes."""
        to_read = max(len(job.text) * self._fresh.seconds - job.read, 0.0)
        if job.written:
            to_read = 0.0
        to_write = self.reply_tokens(job.budget_left, job.written)
        return to_read * self.reading.seconds + to_write * self.writing.seconds

    def reply_tokens(self, budget: int, written: int = 0) -> float:
        """How many of ``budget`` further tokens are expected after ``written`` ones."""
        if budget <= 0:
            return 0.0
        key = (budget, written)
        if key not in self._expected:
            self._expected[key] = self._mean(budget, written)
        return self._expected[key]

    def _mean(self, budget: int, written: int) -> float:
        longest = written + budget
        area = here = 0.0
        for (start, share), (stop, _) in pairwise([*self._survival(), (longest, 0.0)]):
            if start <= written:
                here = share
            area += share * max(min(stop, longest) - max(start, written), 0)
        if here <= 0:
            # Longer than any before it: nothing is known but that long ones go on for long.
            return float(min(budget, written))
        return min(area / here, float(budget))

    def _survival(self) -> list[tuple[int, float]]:
        """``(length, share of replies that are longer)``, ascending from ``(0, 1)``."""
        if self._share is None:
            steps, share, left = [(0, 1.0)], 1.0, len(self._replies)
            for length, complete in sorted(self._replies, key=lambda one: (one[0], not one[1])):
                if complete:
                    share *= (left - 1) / left
                    steps.append((length, share))
                left -= 1
            self._share = steps
        return self._share


def starts(running: Sequence[float], waiting: Sequence[float], slots: int) -> list[float]:
    """After how many seconds each of the waiting jobs gets a slot.

    The engine divides its time equally among the jobs in slots.

    Args:
        running: Seconds of the engine that each running job still takes.
        waiting: The same of each waiting job, in the order in which they will be taken.
        slots: How many run at once.
    """
    # With equal shares a job ends when each of its neighbours has had as much as it needed itself:
    # ``served`` is what each slot has had so far, ``ends`` holds at how much of that a job ends.
    ends = list(running)
    heapq.heapify(ends)
    now, served, found = 0.0, 0.0, []
    for work in waiting:
        while len(ends) >= slots:
            end = heapq.heappop(ends)
            now += (end - served) * (len(ends) + 1)
            served = end
        found.append(now)
        heapq.heappush(ends, served + work)
    return found
