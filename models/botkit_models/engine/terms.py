"""On what terms a job waits: before whom, for how long, and on whose behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Priority = Literal["interactive", "batch"]


@dataclass(frozen=True)
class Terms:
    """How a job stands in the queue.

    Fields:
        priority: ``interactive`` work is taken before ``batch`` work; how far, says
            :class:`botkit_models.engine.waiting.WaitingJobs`.
        deadline: When an answer is of no more use, on :func:`time.monotonic`'s clock, or None.
        client: Who asks. Clients of one priority take turns; those without a name are one.
    """

    priority: Priority = "interactive"
    deadline: float | None = None
    client: str = ""


ORDINARY = Terms()
"""Interactive, for as long as it takes, on nobody's behalf in particular."""
