"""The engine's thread: takes waiting jobs into slots and moves all of them forward in turn.

One round reads one prompt chunk of one slot, then writes a few tokens for every reply that is past
its prompt; so a long prompt delays the others by a chunk at a time, and a new job waits for at most
one round to be looked at.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from botkit.errors import CompletionError, CompletionUnavailableError
from botkit_models.engine.job import Event, Failed, Finished, Hidden, Job, Scored
from botkit_models.engine.runner import Runner
from botkit_models.engine.slot import Slot
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.waiting import WaitingJobs

logger = logging.getLogger(__name__)


class Scheduler:
    """Runs jobs until closed.

    Args:
        runner: What moves slots forward.
        waiting: Where jobs come from.
        slots: How many jobs run at once.
        stats: Counted into.
    """

    def __init__(
        self, runner: Runner, waiting: WaitingJobs, slots: int, stats: EngineStats
    ) -> None:
        self._runner, self._waiting, self._capacity, self._stats = runner, waiting, slots, stats
        self._slots: list[Slot] = []
        self._opened: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="botkit-engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the current dispatch; every job that has not ended fails."""
        self._waiting.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._waiting.closed:
            self._drop_cancelled()
            try:
                self._admit()
                self._round()
            except Exception as error:
                logger.exception("a dispatch failed; the running replies are given up")
                self._fail_all(_failure(error))
        self._fail_all(CompletionUnavailableError("The model is shutting down."))

    def _admit(self) -> None:
        if not self._slots and self._waiting.empty:
            self._runner.rest()
        while len(self._slots) < self._capacity:
            job = self._waiting.take(wait=not self._slots)
            if job is None:
                return
            self._stats.started += 1
            self._open(job)

    def _open(self, job: Job) -> None:
        try:
            slot = self._runner.open(job, self._slots)
        except Exception as error:
            logger.exception("a job could not get a slot")
            self._stats.failed += 1
            self._waiting.done(0.0)
            job.post(Failed(_failure(error)))
            return
        self._opened[id(slot)] = time.monotonic()
        self._slots.append(slot)
        self._stats.active = len(self._slots)

    def _round(self) -> None:
        reading = next((slot for slot in self._slots if slot.chunks), None)
        if reading is not None:
            # To the back of the list, so that the next chunk is another slot's.
            self._slots.remove(reading)
            self._slots.append(reading)
            self._deliver(reading, self._runner.prefill(reading))
        decoding = [slot for slot in self._slots if slot.decoding]
        for slot, events in self._runner.decode(decoding):
            self._deliver(slot, events)

    def _deliver(self, slot: Slot, events: Sequence[Event]) -> None:
        for event in events:
            slot.job.post(event)
            if isinstance(event, Finished | Hidden | Scored):
                self._stats.finished += 1
                self._close(slot)

    def _drop_cancelled(self) -> None:
        for slot in [slot for slot in self._slots if slot.job.cancelled.is_set()]:
            self._stats.cancelled += 1
            self._close(slot)

    def _fail_all(self, error: CompletionError) -> None:
        for slot in list(self._slots):
            self._stats.failed += 1
            slot.job.post(Failed(error))
            self._close(slot)

    def _close(self, slot: Slot) -> None:
        self._slots.remove(slot)
        self._waiting.done(time.monotonic() - self._opened.pop(id(slot)))
        self._stats.active = len(self._slots)


def _failure(error: Exception) -> CompletionError:
    return CompletionError(f"The model failed: {type(error).__name__}.")
