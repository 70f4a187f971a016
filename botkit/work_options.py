"""How a process works on conversations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from botkit.bot_settings import Overlap


def _new_owner() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class WorkOptions:
    """Times in seconds.

    Fields:
        platforms: Whose conversations it works on.
        concurrency: Conversations at the same time.
        lease_seconds: How long a lease lasts unless renewed.
        overlap: What happens to messages that come while another is answered.
        merge_window: Silence after which merged messages are answered.
        turn_attempts: How often a turn is tried.
        turn_timeout: How long one may take.
        polls: Look for work by itself; without, only when told to.
        owner: The name under which this process holds leases.
    """

    platforms: Sequence[str]
    concurrency: int = 64
    lease_seconds: float = 30.0
    overlap: Overlap = "queue"
    merge_window: float = 1.0
    turn_attempts: int = 5
    turn_timeout: float = 300.0
    polls: bool = True
    owner: str = field(default_factory=_new_owner)

    @property
    def batch(self) -> bool:
        """Whether messages that follow one another are one turn."""
        return self.overlap != "queue"
