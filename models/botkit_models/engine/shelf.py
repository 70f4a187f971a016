"""Compiled programs in a folder, ready to run without being traced again.

JAX's own cache on disk is keyed by the traced program, and tracing the larger ones here is about
two seconds of Python. With the engine's thread wanting the interpreter's lock all that time, every
step of the event loop waits out a switch interval, and webhooks go unacknowledged. Loading a
finished executable holds that lock for some milliseconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jax.experimental import serialize_executable
from jax.stages import Compiled

logger = logging.getLogger(__name__)

Key = tuple[str, int, int]
Program = Callable[..., Any]

QUICK = 1  # zlib level: a third of the size, in a few milliseconds


class Shelf:
    """Programs by key, a file each.

    The files are trusted as Python's own bytecode caches are: who can write them can already make
    this process run machine code.

    Args:
        folder: Where compiled programs are kept, or None to keep nothing.
        identity: Everything that the programs depend on besides their key, as text.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._folder = folder / f"programs-{digest}" if folder else None

    def __contains__(self, key: Key) -> bool:
        path = self._path(key)
        return path is not None and path.exists()

    def put(self, key: Key, compiled: Compiled) -> None:
        """Keep a program that was compiled just now; one that was loaded cannot be kept again."""
        path = self._path(key)
        if path is None:
            return
        try:
            content = zlib.compress(pickle.dumps(serialize_executable.serialize(compiled)), QUICK)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            partial.write_bytes(content)
            partial.replace(path)
        except Exception as error:  # a backend that cannot serialise, a full disk
            logger.warning("%s(%d, %d) cannot be kept on disk: %s", *key, error)

    def take(self, key: Key) -> Program | None:
        """The program of ``key``, or None when it is not here or does not load on this machine."""
        path = self._path(key)
        if path is None or not path.exists():
            return None
        try:
            kept = pickle.loads(zlib.decompress(path.read_bytes()))
            program: Program = serialize_executable.deserialize_and_load(*kept)
        except Exception as error:  # damaged, or refused: XLA's errors have no class in common
            logger.warning("%s(%d, %d) on disk cannot be loaded: %s", *key, error)
            with contextlib.suppress(OSError):  # a folder that may only be read
                path.unlink()
            return None
        return program

    def _path(self, key: Key) -> Path | None:
        return self._folder / "{}-{}-{}".format(*key) if self._folder else None
