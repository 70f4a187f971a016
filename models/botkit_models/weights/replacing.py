"""Writing a folder so that it appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from botkit.errors import PullError


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when the block ends well.

    Raises:
        PullError: The disk is full, or the place cannot be written to. Nothing is left behind.
    """
    prefix = f".{folder.name}."
    try:
        made = tempfile.mkdtemp(prefix=prefix, suffix=".partial", dir=folder.parent)
    except OSError as error:
        raise PullError(f"cannot write to {folder.parent}: {error.strerror or error}") from None
    partial = Path(made)
    try:
        yield partial
        partial.chmod(0o755)
        _sync_folder(partial)
        _swap(partial, folder)
        _sync_folder(folder.parent)
    except OSError as error:
        raise PullError(f"cannot write the model to {folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a small UTF-8 file and make it durable."""
    with path.open("wb") as file:
        file.write(text.encode())
        flush(file)


def flush(file: BinaryIO) -> None:
    """Hand what was written to the disk."""
    file.flush()
    os.fsync(file.fileno())


def _swap(partial: Path, folder: Path) -> None:
    """A folder cannot be renamed over a full one: the old one steps aside first."""
    if not folder.exists():
        partial.rename(folder)
        return
    aside = partial.with_suffix(".old")
    folder.rename(aside)
    try:
        partial.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
