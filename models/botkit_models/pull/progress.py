"""Telling how far a download is, whatever does the downloading.

pip and huggingface_hub each have progress bars of their own and no common way to ask them; the
bytes that have arrived in the folder they write to are the same for both.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Report = Callable[[str, int, int | None], None]
"""``report(stage, done, total)``: what is being done, and how far, in bytes (total may be None)."""

POLL_SECONDS = 0.1


def silent(stage: str, done: int, total: int | None) -> None:
    """The report for nobody."""


@contextmanager
def watched(folder: Path, stage: str, total: int | None, report: Report) -> Iterator[None]:
    """Report the size of a folder while the block runs."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(POLL_SECONDS):
            done = folder_size(folder)
            report(stage, done if total is None else min(done, total), total)

    report(stage, 0, total)
    thread = threading.Thread(target=watch, name="pull-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def folder_size(folder: Path) -> int:
    """Bytes in all files below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total
