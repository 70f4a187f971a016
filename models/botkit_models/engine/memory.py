"""Memory that was freed goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import sys


def return_memory() -> None:
    """Give freed memory back to the system: glibc would keep it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
