"""How much of the machine others use while something is measured.

Threads that wait for one another by spinning, as llama.cpp's do, lose far more than their share
when a core is taken away, so a busy machine does not slow both sides of a comparison alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from botkit_models.bench.process import processor_seconds

STAT = Path("/proc/stat")
QUIET = 0.05


class Bystanders:
    """Watches the machine from when it is made.

    Args:
        ours: Running processes that belong to the measurement, beside this one; those that ended
            are counted by themselves.
        stat: Where the system counts (proc_stat(5)); elsewhere than on Linux nothing is known.
    """

    def __init__(self, ours: Sequence[int] = (), stat: Path = STAT) -> None:
        self._ours, self._stat = ours, stat
        self._began = self._now()

    def share(self, new: Sequence[int] = ()) -> float:
        """The part of all processor time since then that others had, 0 to 1; 0 when unknown.

        ``new`` are processes of ours that have started since.
        """
        busy, ours, seconds = (
            now - then for now, then in zip(self._now(), self._began, strict=True)
        )
        ours += sum(processor_seconds(pid) for pid in new)
        capacity = seconds * (os.cpu_count() or 1)
        return min(max((busy - ours) / capacity, 0.0), 1.0) if capacity else 0.0

    def _now(self) -> tuple[float, float, float]:
        """Processor seconds of the machine and of ours, and the time."""
        own = sum(os.times()[:4]) + sum(processor_seconds(pid) for pid in self._ours)
        return machine_seconds(self._stat), own, time.perf_counter()


def machine_seconds(stat: Path) -> float:
    """Processor seconds that the machine has spent on anything since it started; 0 if unknown."""
    try:
        user, nice, system, _, _, irq, softirq, steal = map(
            int, stat.read_text().split("\n", 1)[0].split()[1:9]
        )
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
