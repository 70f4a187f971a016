"""Taking turns: what is compared is measured side by side, so that a busy machine slows both."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence

PAUSE_SECONDS = 0.05


def alternate(sides: Sequence[Callable[[], float]], repeats: int) -> list[list[float]]:
    """Call every side once unmeasured, then A B A B ..., ``repeats`` times each.

    The pause in between lets threads of the side that ran last fall asleep.

    Returns:
        The figures of each side, in order.
    """
    for side in sides:
        side()
    figures: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, found in zip(sides, figures, strict=True):
            gc.collect()
            time.sleep(PAUSE_SECONDS)
            found.append(side())
    return figures


def median(figures: Sequence[float]) -> float:
    """The middle figure."""
    return statistics.median(figures)


def spread(figures: Sequence[float]) -> str:
    """Lowest and highest figure, in words."""
    return f"{min(figures):.3g} to {max(figures):.3g}"


def cores() -> int:
    """How many cores this process may use; XLA starts as many threads."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
