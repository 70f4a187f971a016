"""The engine's thread: takes waiting jobs into slots and moves all of them forward in turn.

One round reads one prompt chunk of one slot, then writes a few tokens for every reply that is past
its prompt; so a long prompt delays the others by a chunk at a time, and a new job waits for at most
one round to be looked at. Where several prompts are to be read, every second chunk is of the one
that has waited longest and the others are of whichever has least left: a short prompt is answered
soon beside long ones, and a long one is read at half speed at worst. Batch prompts are read when
no interactive one is there to be read, and at every eighth turn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from botkit.errors import CompletionError, CompletionUnavailableError, DeadlineExceededError
from botkit_models.engine.job import Event, Failed, Finished, Hidden, Job, Scored, Tokens
from botkit_models.engine.slot import Slot
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.waiting import BATCH_SHARE, WaitingJobs, is_late
from botkit_models.panics import is_failure

logger = logging.getLogger(__name__)


class SlotRunner(Protocol):
    """What moves slots forward; see :class:`botkit_models.engine.runner.Runner`."""

    def open(self, job: Job, /) -> Slot:
        """A slot for ``job``."""
        ...

    def read(self, slot: Slot, /) -> list[Event]:
        """Read a slot's next prompt chunk."""
        ...

    def decode(self, slots: Sequence[Slot], /) -> Iterable[tuple[Slot, list[Event]]]:
        """Write a few tokens for each of ``slots``, in one dispatch or several."""
        ...

    def close(self, slot: Slot, /) -> None:
        """Take back what a slot holds."""
        ...

    def rest(self) -> None:
        """Nothing is running."""
        ...


class Scheduler:
    """Runs jobs until closed.

    Args:
        runner: What moves slots forward.
        waiting: Where jobs come from.
        slots: How many jobs run at once.
        stats: Counted into.
    """

    def __init__(
        self, runner: SlotRunner, waiting: WaitingJobs, slots: int, stats: EngineStats
    ) -> None:
        self._runner, self._waiting, self._capacity, self._stats = runner, waiting, slots, stats
        self._slots: list[Slot] = []  # in the order in which they were opened
        self._turn = 0
        self._thread = threading.Thread(target=self._run, name="botkit-engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the current dispatch; every job that has not ended fails."""
        self._waiting.close()
        if self._thread.is_alive():
            self._thread.join()

    def round(self, *, wait: bool) -> None:
        """Let go of what is over, fill free slots, and one dispatch of each kind.

        With ``wait``, sleep first while nothing runs and nothing waits.
        """
        try:
            self._drop()
            self._admit(wait)
            self._read()
            self._drop()
            self._write()
        except BaseException as error:
            if not is_failure(error):
                raise
            logger.exception("a dispatch failed; the running replies are given up")
            self._fail_all(_failure(error))

    def _run(self) -> None:
        try:
            while not self._waiting.closed:
                self.round(wait=True)
        finally:
            # Also if this thread should break: nobody waits for what will not come.
            self._waiting.close()
            self._fail_all(CompletionUnavailableError("The model is shutting down."))

    def _drop(self) -> None:
        """Let go of those who are no longer waited for, in a slot or in the queue."""
        now = self._waiting.clock()
        for slot in list(self._slots):
            if slot.job.cancelled.is_set():
                self._stats.cancelled += 1
                self._close(slot)
            elif is_late(slot.job, now):
                self._stats.failed += 1
                self._close(slot)
                self._expire(slot.job)
        for job in self._waiting.expired():
            self._expire(job)

    def _expire(self, job: Job) -> None:
        self._stats.expired += 1
        job.post(Failed(DeadlineExceededError("The reply was not ready within the deadline.")))

    def _admit(self, wait: bool) -> None:
        if not self._slots and self._waiting.empty:
            self._runner.rest()
        while len(self._slots) < self._capacity:
            job = self._waiting.take(wait=wait and not self._slots)
            if job is None:
                return
            self._open(job)

    def _open(self, job: Job) -> None:
        self._stats.started += 1
        try:
            slot = self._runner.open(job)
        except Exception as error:
            logger.exception("a job could not get a slot")
            self._stats.failed += 1
            self._waiting.done(job)
            job.post(Failed(_failure(error)))
            return
        self._slots.append(slot)
        self._stats.active = len(self._slots)

    def _read(self) -> None:
        slot = self._next_to_read()
        if slot is None:
            return
        before, began = self._stats.prompt_tokens, self._now()
        events = self._runner.read(slot)
        tokens = self._stats.prompt_tokens - before
        slot.job.read += tokens
        self._waiting.forecast.reading.add(tokens, self._now() - began)
        self._deliver(slot, events)

    def _next_to_read(self) -> Slot | None:
        reading = [slot for slot in self._slots if slot.unread]
        if not reading:
            return None
        self._turn += 1
        batch = [slot for slot in reading if slot.job.terms.priority == "batch"]
        hurried = [slot for slot in reading if slot not in batch]
        if batch and (not hurried or self._turn % BATCH_SHARE == 0):
            return batch[0]
        if self._turn % 2 == 0:
            return hurried[0]
        return min(hurried, key=lambda slot: slot.unread)

    def _write(self) -> None:
        decoding = [slot for slot in self._slots if slot.decoding]
        if not decoding:
            return
        before, began = self._stats.reply_tokens, self._now()
        for slot, events in self._runner.decode(decoding):
            self._deliver(slot, events)
        tokens = self._stats.reply_tokens - before
        self._waiting.forecast.writing.add(tokens, self._now() - began)

    def _now(self) -> float:
        """Seconds, without those that went by for programs to be at hand: they happen once."""
        return self._waiting.clock() - self._stats.preparing

    def _deliver(self, slot: Slot, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Tokens):
                slot.job.written += len(event.tokens)
            if isinstance(event, Failed):
                self._stats.failed += 1
                self._close(slot)
            elif isinstance(event, Finished | Hidden | Scored):
                self._stats.finished += 1
                self._close(slot)
            # Last: who hears that it is over finds the slot free.
            slot.job.post(event)

    def _fail_all(self, error: CompletionError) -> None:
        for slot in list(self._slots):
            self._stats.failed += 1
            self._close(slot)
            slot.job.post(Failed(error))

    def _close(self, slot: Slot) -> None:
        self._slots = [one for one in self._slots if one is not slot]
        self._stats.active = len(self._slots)
        self._waiting.done(slot.job)
        self._runner.close(slot)


def _failure(error: BaseException) -> CompletionError:
    return CompletionError(f"The model failed: {type(error).__name__}.")
