"""Taking turns: what is compared is measured side by side, on a machine as quiet as it gets."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from botkit_models.bench.bystanders import QUIET, Bystanders

PAUSE_SECONDS = 0.05
MOST_TURNS = 4
PATIENCE_SECONDS = 60.0


class Turn(NamedTuple):
    """One figure of each side, and the part of the machine that others used meanwhile."""

    figures: tuple[float, ...]
    others: float


def alternate(
    sides: Sequence[Callable[[], float]], repeats: int, ours: Sequence[int] = ()
) -> list[Turn]:
    """Call every side once unmeasured, then A B, A B, ...

    A turn that others disturbed is taken again, until there are :data:`MOST_TURNS` times as many as
    wanted or :data:`PATIENCE_SECONDS` are over. Kept are the ``repeats`` least disturbed ones,
    whatever their figures are.

    Args:
        sides: Each returns its figure.
        repeats: How many turns are wanted.
        ours: Processes that belong to the sides.
    """
    for side in sides:
        side()
    turns: list[Turn] = []
    began = time.monotonic()
    while len(turns) < MOST_TURNS * repeats and _quiet(turns) < repeats:
        if len(turns) >= repeats and time.monotonic() - began > PATIENCE_SECONDS:
            break
        turns.append(_turn(sides, ours))
    return sorted(turns, key=lambda turn: max(turn.others, QUIET))[:repeats]


def _turn(sides: Sequence[Callable[[], float]], ours: Sequence[int]) -> Turn:
    bystanders = Bystanders(ours)
    figures = []
    for side in sides:
        gc.collect()
        time.sleep(PAUSE_SECONDS)  # threads of the side before fall asleep
        figures.append(side())
    return Turn(tuple(figures), bystanders.share())


def _quiet(turns: Sequence[Turn]) -> int:
    return sum(turn.others <= QUIET for turn in turns)


def median(figures: Sequence[float]) -> float:
    """The middle figure."""
    return statistics.median(figures)


def spread(figures: Sequence[float]) -> str:
    """Lowest and highest figure, in words."""
    return f"{min(figures):.3g} to {max(figures):.3g}"


def disturbance(others: float) -> str:
    """A warning when others used much of the machine (a part of it, 0 to 1), else nothing."""
    if others <= QUIET:
        return ""
    return f"; DISTURBED: other processes used up to {others:.0%} of the machine, measure again"


def cores() -> int:
    """How many cores this process may use; XLA starts as many threads."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
