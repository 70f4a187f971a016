"""Memory: how much is free, and giving back what is not needed."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
DONT_NEED = 4  # MADV_DONTNEED: of a file's pages that nobody wrote to, only these go


def free_memory() -> int | None:
    """Bytes that this process could still take, or None where that cannot be told.

    The smaller of what the system and the container's limit (cgroup v2) leave.
    """
    found = [_available(), _within_limit()]
    return min((bytes for bytes in found if bytes is not None), default=None)


def return_memory() -> None:
    """Give freed memory back to the system: glibc would keep it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _available() -> int | None:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    return None


def _within_limit() -> int | None:
    """What a container's limit leaves (cgroup v2, else v1)."""
    found = [
        _left(CGROUP, "memory.max", "memory.current", ("file", "shmem")),
        _left(
            CGROUP / "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            ("total_cache", "total_shmem"),
        ),
    ]
    return next((left for left in found if left is not None), None)


def _left(folder: Path, limit: str, taken: str, kept: tuple[str, str]) -> int | None:
    """Limit less what is taken; pages of files do not count, unless memory is all they have."""
    with contextlib.suppress(OSError, ValueError):
        most = int((folder / limit).read_text())
        now = int((folder / taken).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = {name: int(value) for name, value in (line.split() for line in lines)}
        files, memory = (stat.get(name, 0) for name in kept)
        return most - now + max(files - memory, 0)
    return None


def release_code(library: str) -> None:
    """Let go of a shared library's code that is in memory: it has done its work.

    Its pages are read again from the file if need be. ``library`` is part of the file's name.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError, ValueError):
        libc = ctypes.CDLL("libc.so.6")
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, access, *_, name = line.split(maxsplit=5)
            if library in name and access == "r-xp":
                begin, end = (int(edge, 16) for edge in span.split("-"))
                libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), DONT_NEED)
