"""A safetensors file, its header checked before a byte of it is believed.

The format (https://huggingface.co/docs/safetensors): eight bytes little-endian header size, a JSON
header of ``name -> {dtype, shape, data_offsets}``, then the data without gaps.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from botkit.errors import ModelFileError
from botkit_models.weights.checkpoint import Array
from botkit_models.weights.mapped import map_bytes

MAX_HEADER_BYTES = 32 << 20
MAX_DIMENSIONS = 8

DTYPES: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I8": np.dtype(np.int8),
    "U8": np.dtype(np.uint8),
    "I32": np.dtype(np.int32),
    "I64": np.dtype(np.int64),
    "BOOL": np.dtype(np.bool_),
}
DTYPE_NAMES: Mapping[np.dtype[Any], str] = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class TensorEntry:
    """Where one tensor lies: ``start`` in bytes from the beginning of the file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class SafetensorsFile:
    """A checked header and the path it came from."""

    path: Path
    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]

    def load(self, name: str) -> Array:
        """A read-only array over the file's pages; copied when it is not aligned for its dtype."""
        entry = self.entries[name]
        raw = map_bytes(self.path, entry.start, entry.size)
        array: Array = raw.view(entry.dtype).reshape(entry.shape)
        return array if array.flags.aligned else array.copy()


def read_safetensors(path: Path) -> SafetensorsFile:
    """Check a file's header against its size.

    Raises:
        ModelFileError: The file is missing, truncated, or its header is damaged.
    """
    try:
        with path.open("rb") as file:
            file_size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if file_size < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, file_size - 8):
                raise ModelFileError(f"{path}: no safetensors file, or it is truncated")
            header = parse_json_object(file.read(length), path)
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from None
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelFileError(f"{path}: __metadata__ must map texts to texts")
    data_start = 8 + length
    entries = {name: _entry(name, raw, data_start, file_size, path) for name, raw in header.items()}
    _check_no_gaps(entries, data_start, file_size, path)
    return SafetensorsFile(path, entries, metadata)


def parse_json_object(raw: bytes, path: Path) -> dict[str, Any]:
    """The JSON object in ``raw``.

    Raises:
        ModelFileError: It is no UTF-8 JSON object, or it is nested too deeply.
    """
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged JSON: {error}") from None
    if not isinstance(value, dict):
        raise ModelFileError(f"{path}: expected a JSON object")
    return value


def _entry(name: str, raw: Any, data_start: int, file_size: int, path: Path) -> TensorEntry:
    where = f"{path}: tensor {name!r}"
    if not isinstance(raw, dict):
        raise ModelFileError(f"{where}: damaged header")
    dtype = DTYPES.get(raw["dtype"]) if isinstance(raw.get("dtype"), str) else None
    if dtype is None:
        raise ModelFileError(f"{where}: dtype {raw.get('dtype')!r} cannot be read")
    shape = _counts(raw.get("shape"), MAX_DIMENSIONS, where)
    offsets = _counts(raw.get("data_offsets"), 2, where)
    if len(offsets) != 2:
        raise ModelFileError(f"{where}: damaged offsets")
    start, end = offsets
    if end > file_size - data_start or math.prod(shape) * dtype.itemsize != end - start:
        raise ModelFileError(f"{where}: shape, offsets and file size disagree; is it truncated?")
    return TensorEntry(dtype, shape, data_start + start)


def _counts(raw: Any, limit: int, where: str) -> tuple[int, ...]:
    if not isinstance(raw, list) or len(raw) > limit:
        raise ModelFileError(f"{where}: damaged shape or offsets")
    for value in raw:
        if type(value) is not int or not 0 <= value < 1 << 48:
            raise ModelFileError(f"{where}: {value!r} is no size")
    return tuple(raw)


def _check_no_gaps(
    entries: Mapping[str, TensorEntry], data_start: int, file_size: int, path: Path
) -> None:
    """Tensors that overlap or leave gaps are how a file says two things at once."""
    position = data_start
    for entry in sorted(entries.values(), key=lambda entry: (entry.start, entry.size)):
        if entry.start != position:
            raise ModelFileError(f"{path}: tensors overlap or leave gaps")
        position += entry.size
    if position != file_size:
        raise ModelFileError(f"{path}: the file is longer than its header says")
