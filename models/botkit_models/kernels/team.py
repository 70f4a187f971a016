"""The worker threads: Python threads that live in machine code, without the interpreter's lock."""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path

from botkit_models.kernels.jit import Code
from botkit_models.kernels.team_state import (
    CORES,
    CORES_SIZE,
    MAX_THREADS,
    STATE,
    STATE_SIZE,
    STOPPED,
)
from botkit_models.kernels.worker import HALT, WORK


class Team:
    """The threads that do kernels' work beside the calling one.

    Args:
        code: Machine code with the pool's functions.
    """

    def __init__(self, code: Code) -> None:
        self._state = code.address(STATE)
        self._work = ctypes.CFUNCTYPE(None, ctypes.c_int64)(code.address(WORK))
        self._halt = ctypes.CFUNCTYPE(None)(code.address(HALT))
        self._threads: list[threading.Thread] = []
        atexit.register(self.stop)
        os.register_at_fork(after_in_child=self._forget)

    def start(self, workers: int) -> None:
        """Have this many workers, instead of those there are; 0 lets callers do all work."""
        self.stop()
        ctypes.memset(self._state + STOPPED, 0, 4)
        _write_cores(self._state + CORES)
        self._threads = [
            threading.Thread(target=self._work, args=(n,), name=f"botkit-kernel-{n}", daemon=True)
            for n in range(1, min(workers, MAX_THREADS - 1) + 1)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send the workers home and wait for them; kernels still work, on the caller alone."""
        if self._threads:
            self._halt()
            for thread in self._threads:
                thread.join()
            self._threads = []

    def _forget(self) -> None:
        """A forked child has no workers, and nobody in it holds the team."""
        ctypes.memset(self._state, 0, STATE_SIZE)
        self._threads = []


def _write_cores(address: int) -> None:
    """Say which cores this process may use, a bit each."""
    cores = bytearray(CORES_SIZE)
    for core in _affinity():
        if core < 8 * CORES_SIZE:
            cores[core // 8] |= 1 << core % 8
    ctypes.memmove(address, bytes(cores), CORES_SIZE)


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def spare_cores() -> int:
    """Cores that this process may use beside one: by affinity and by its control group's quota."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(0, min(cores, _quota()) - 1)


def _quota() -> int:
    """Whole cores that the control group allows, at least 1 (cgroup v2 ``cpu.max``, v1 ``cfs``)."""
    for read in (_quota_v2, _quota_v1):
        try:
            quota, period = read()
        except (OSError, ValueError):
            continue
        if quota > 0 and period > 0:
            return max(1, round(quota / period))
    return MAX_THREADS


def _quota_v2() -> tuple[int, int]:
    quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    return (0 if quota == "max" else int(quota)), int(period)


def _quota_v1() -> tuple[int, int]:
    folder = Path("/sys/fs/cgroup/cpu")
    read: Callable[[str], int] = lambda name: int((folder / name).read_text())  # noqa: E731
    return read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")
