"""A conversation that is worked on here, and how long that is still certain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from botkit.spans import NO_SPAN, Span
from botkit.store import Lease, QueuedEvent, TurnOutput


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by two clocks: a machine that sleeps stops the one, a person sets the other."""

    monotonic: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)

    @property
    def age(self) -> float:
        """Seconds since then, by the clock that says more."""
        return max(time.monotonic() - self.monotonic, time.time() - self.wall)


@dataclass
class Holding:
    """One conversation under a lease.

    Fields:
        lease: The newest.
        seconds: How long a lease lasts.
        renewed: Before the store was last asked for it.
        task: Works on it.
        running: The turn under way; cancel it and it is taken again.
        events: Of that turn.
        interruptible: Whether another message may join it.
        turns: How many were run since it was taken.
        left: Something was put off: it has to be looked for again.
        span: Of the last turn; what is delivered afterwards is part of it.
        unanswered_since: When the event was accepted of which no reply was sent yet.
    """

    lease: Lease
    seconds: float
    renewed: Moment
    task: asyncio.Task[None] | None = None
    running: asyncio.Task[TurnOutput] | None = None
    events: Sequence[QueuedEvent] = ()
    interruptible: bool = False
    turns: int = 0
    left: bool = False
    span: Span = NO_SPAN
    unanswered_since: float | None = None

    def holds(self) -> bool:
        """Whether the lease certainly lasts still. A process that froze finds out here."""
        return self.renewed.age < self.seconds

    @property
    def overdue(self) -> bool:
        """Whether it is time to renew."""
        return self.renewed.age > self.seconds / 3
