"""The kernels' machine code kept in a file: a second start does not compile."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from botkit_models.kernels.host import identity

logger = logging.getLogger(__name__)

_DIGEST_SIZE = hashlib.sha256().digest_size


def read_code(folder: Path | None) -> bytes | None:
    """What :func:`write_code` kept for this processor and these sources, if it is whole.

    The file is trusted as Python's own bytecode caches are: who can write it can already make this
    process run machine code. The digest is against damage.
    """
    if folder is None:
        return None
    try:
        content = _path(folder).read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return code if hashlib.sha256(code).digest() == digest else None


def write_code(folder: Path | None, code: bytes) -> None:
    """Keep machine code; where that fails, say so and go on."""
    if folder is None:
        return
    path = _path(folder)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(code).digest() + code)
        partial.replace(path)
    except OSError as error:
        logger.warning("the kernels' machine code cannot be kept on disk: %s", error)


def _path(folder: Path) -> Path:
    return folder / f"kernels-{identity()[:16]}.o"
