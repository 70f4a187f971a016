"""How much a model in this process has to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What an operator wants to know of an engine, at one moment.

    Fields:
        slots: How many replies it writes at a time.
        running: How many it is reading or writing now.
        interactive, batch: How many wait for a slot, by priority.
        cache: Share of the cache of keys and values that those running hold, 0 to 1.
        drafted, accepted: Tokens guessed ahead since the start, and those of them that were right.
        compiled: Programs compiled in this process since the start; after the warm-up it stays.
    """

    slots: int
    running: int
    interactive: int
    batch: int
    cache: float
    drafted: int
    accepted: int
    compiled: int


NO_LOAD = Load(0, 0, 0, 0, 0.0, 0, 0, 0)
"""Of an engine that has done nothing yet."""
