"""Jobs for the engine's queue, and a scheduler over a runner whose time is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from botkit_models.engine.job import (
    EmbedJob,
    Event,
    Finished,
    GenerateJob,
    Hidden,
    Job,
    Token,
    Tokens,
)
from botkit_models.engine.scheduler import Scheduler
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.terms import Priority, Terms
from botkit_models.engine.waiting import WaitingJobs

CHUNK, STEPS = 64, 4


def a_job(
    length: int = 1,
    budget: int = 1,
    *,
    priority: Priority = "interactive",
    client: str = "",
    deadline: float | None = None,
    events: list[Event] | None = None,
) -> GenerateJob:
    """A job whose events go into ``events``."""
    post = (lambda event: None) if events is None else events.append
    terms = Terms(priority, deadline, client)
    return GenerateJob((0,) * length, post, terms=terms, budget=budget)


@dataclass
class MadeUpSlot:
    """A slot of which only the progress is true."""

    job: Job
    unread: int
    ends_at: int
    written: int = 0

    @property
    def decoding(self) -> bool:
        """Whether the prompt has been read."""
        return not self.unread and isinstance(self.job, GenerateJob)


@dataclass
class MadeUpRunner:
    """Reads and writes nothing, and takes made-up time for it.

    Fields:
        stats: Counted into, as by a real one.
        now: What the clock says.
        lengths: After how many tokens the model would end the reply to each job, by its id; a
            reply to a job that is not there uses its budget up.
        log: What was done: ``open``, ``read`` or ``decode``, and the jobs.
    """

    stats: EngineStats = field(default_factory=EngineStats)
    now: float = 0.0
    lengths: dict[int, int] = field(default_factory=dict)
    read_seconds: float = 0.1
    decode_seconds: float = 0.05
    log: list[tuple[str, list[Job]]] = field(default_factory=list)
    opened: list[MadeUpSlot] = field(default_factory=list)

    def clock(self) -> float:
        """Made-up seconds."""
        return self.now

    def open(self, job: Job, /) -> Any:
        """A slot, with nothing of the text read."""
        ahead = 1 if isinstance(job, GenerateJob) else 0
        unread, ends_at = len(job.text) - ahead, self.lengths.get(id(job), job.budget_left)
        slot = MadeUpSlot(job, unread, ends_at)
        self.opened.append(slot)
        self.log.append(("open", [job]))
        return slot

    def read(self, slot: Any, /) -> list[Event]:
        """One chunk."""
        self.log.append(("read", [slot.job]))
        self.now += self.read_seconds
        count = min(slot.unread, CHUNK)
        slot.unread -= count
        self.stats.prompt_tokens += count
        if isinstance(slot.job, EmbedJob) and not slot.unread:
            return [Hidden(None)]  # type: ignore[arg-type]
        return []

    def decode(self, slots: Sequence[Any], /) -> list[tuple[Any, list[Event]]]:
        """A few tokens each."""
        self.log.append(("decode", [slot.job for slot in slots]))
        self.now += self.decode_seconds
        return [(slot, self._write(slot)) for slot in slots]

    def _write(self, slot: MadeUpSlot) -> list[Event]:
        budget = slot.job.budget_left + slot.job.written
        count = min(STEPS, slot.ends_at - slot.written)
        slot.written += count
        self.stats.reply_tokens += count
        events: list[Event] = [Tokens((Token(0),) * count)]
        if slot.written >= slot.ends_at:
            events.append(Finished("length" if slot.written >= budget else "stop"))
        return events

    def close(self, slot: Any, /) -> None:
        """The slot must be open."""
        self.opened.remove(slot)

    def rest(self) -> None:
        """Nothing to give back."""


@dataclass
class MadeUpEngine:
    """A queue and a scheduler over a made-up runner; rounds are run by hand."""

    slots: int = 4
    capacity: int = 64
    runner: MadeUpRunner = field(default_factory=MadeUpRunner)

    def __post_init__(self) -> None:
        self.waiting = WaitingJobs(self.slots, self.capacity, self.runner.clock)
        self.stats = self.runner.stats
        self.scheduler = Scheduler(self.runner, self.waiting, self.slots, self.stats)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits (a round would sleep otherwise)."""
        return bool(self.runner.opened) or not self.waiting.empty

    def run(self, rounds: int | None = None) -> None:
        """So many rounds, or until nothing is left to do."""
        while self.busy and rounds != 0:
            self.scheduler.round(wait=False)
            rounds = None if rounds is None else rounds - 1
