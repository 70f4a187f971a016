"""Bytes of a file as memory, read only when touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from botkit.errors import ModelFileError


def map_bytes(path: Path, start: int, size: int) -> NDArray[np.uint8]:
    """``size`` bytes from ``start``, uint8 [size], read-only.

    Raises:
        ModelFileError: The file is gone, unreadable or shorter than that.
    """
    if size == 0:
        return np.zeros(0, np.uint8)
    try:
        return np.asarray(np.memmap(path, np.uint8, "r", start, (size,)))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path}: cannot read {size} bytes at {start}: {error}") from None
