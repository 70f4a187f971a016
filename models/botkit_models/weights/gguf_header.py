"""A GGUF file's header, read with every size and count checked against the file.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little
endian). Checked here rather than by the ``gguf`` library's reader, which can hang on a damaged
file of a few bytes; the library is used for de-quantising only.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from botkit.errors import ModelFileError

MAX_KEYS = 4096
MAX_TENSORS = 1 << 16
MAX_KEY_BYTES = 1 << 16
MAX_TEXT_BYTES = 16 << 20
MAX_TEXTS = 1 << 21
MAX_DIMENSIONS = 4

_TEXT, _ARRAY, _BOOL = 8, 9, 7
_SCALARS: Mapping[int, np.dtype[Any]] = {
    number: np.dtype(code)
    for number, code in {
        0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4",
        6: "<f4", 7: "?", 10: "<u8", 11: "<i8", 12: "<f8",
    }.items()
}  # fmt: skip

# Type number to (name, values per block, bytes per block), as ggml.h lays them out.
QUANT_TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    8: ("Q8_0", 32, 34),
    12: ("Q4_K", 256, 144),
    14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2),
}


@dataclass(frozen=True)
class GGUFTensor:
    """Where a tensor lies. ``shape`` is in numpy's order: rows first."""

    name: str
    quant: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class GGUFHeader:
    """Metadata (texts, numbers, lists of texts, numpy arrays of numbers) and tensors by name."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, GGUFTensor]


def read_gguf_header(path: Path) -> GGUFHeader:
    """Read and check a header.

    Raises:
        ModelFileError: The file is no GGUF, of another version, truncated or damaged.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Parser(path, data).header()
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        raise ModelFileError(f"{path} is empty") from None


class _Parser:
    """A cursor over the file; every read is checked against the end."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._size = len(data)
        self._at = 0
        self._texts = 0

    def header(self) -> GGUFHeader:
        if self._take(4) != b"GGUF":
            raise self._error("no GGUF file")
        version = self._number("<I")
        if version not in (2, 3):
            raise self._error(f"GGUF version {version} is not supported; 2 and 3 are")
        tensor_count = self._count(MAX_TENSORS, "tensors")
        key_count = self._count(MAX_KEYS, "metadata keys")
        metadata: dict[str, Any] = {}
        for _ in range(key_count):
            key = self._text(MAX_KEY_BYTES)
            if key in metadata:
                raise self._error(f"metadata key {key!r:.80} is given twice")
            metadata[key] = self._value(self._number("<I"))
        raw = [self._tensor_info() for _ in range(tensor_count)]
        return GGUFHeader(self._path, metadata, self._placed(raw, self._data_start(metadata)))

    def _tensor_info(self) -> GGUFTensor:
        name = self._text(MAX_KEY_BYTES)
        dimensions = self._number("<I")
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise self._error(f"tensor {name!r:.80} has {dimensions} dimensions")
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        kind, offset = self._number("<I"), self._number("<Q")
        if kind not in QUANT_TYPES:
            known = ", ".join(quant for quant, _, _ in QUANT_TYPES.values())
            raise self._error(f"tensor {name!r:.80} is of type {kind}; known are {known}")
        quant, block, block_bytes = QUANT_TYPES[kind]
        if min(shape) < 1 or shape[0] % block or math.prod(shape) > self._size * 8:
            raise self._error(f"tensor {name!r:.80} has the senseless shape {list(shape)}")
        size = math.prod(shape) // block * block_bytes
        return GGUFTensor(name, quant, shape[::-1], offset, size)

    def _data_start(self, metadata: Mapping[str, Any]) -> int:
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment not in (8, 16, 32, 64, 128, 256, 512, 4096):
            raise self._error(f"general.alignment is {alignment!r:.40}")
        return -(-self._at // alignment) * alignment

    def _placed(self, raw: list[GGUFTensor], data_start: int) -> dict[str, GGUFTensor]:
        """The tensors by name, with offsets from the beginning of the file, none overlapping."""
        placed: dict[str, GGUFTensor] = {}
        end = data_start
        for tensor in sorted(raw, key=lambda tensor: tensor.start):
            start = data_start + tensor.start
            if start < end or start % 4:
                raise self._error(f"tensor {tensor.name!r:.80} overlaps another")
            end = start + tensor.size
            if end > self._size:
                raise self._error(f"truncated: tensor {tensor.name!r:.80} ends at byte {end}")
            if tensor.name in placed:
                raise self._error(f"tensor {tensor.name!r:.80} is given twice")
            placed[tensor.name] = GGUFTensor(
                tensor.name, tensor.quant, tensor.shape, start, tensor.size
            )
        return placed

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text(MAX_TEXT_BYTES)
        if kind == _ARRAY:
            return self._array(self._number("<I"))
        scalar = self._numbers(kind, 1)[0]
        return scalar.item()

    def _array(self, kind: int) -> Any:
        if kind != _TEXT:
            return self._numbers(kind, self._number("<Q"))
        count = self._number("<Q")
        self._texts += count
        if self._texts > MAX_TEXTS or count * 8 > self._size - self._at:
            raise self._error(f"a list of {count} texts")
        return [self._text(MAX_TEXT_BYTES) for _ in range(count)]

    def _numbers(self, kind: int, count: int) -> np.ndarray[Any, np.dtype[Any]]:
        dtype = _SCALARS.get(kind)
        if dtype is None:
            raise self._error(f"metadata of type {kind}")
        raw = self._take(dtype.itemsize * count)
        return np.frombuffer(raw, np.uint8) != 0 if kind == _BOOL else np.frombuffer(raw, dtype)

    def _text(self, limit: int) -> str:
        length = self._number("<Q")
        if length > limit:
            raise self._error(f"a text of {length} bytes")
        try:
            return self._take(length).decode()
        except UnicodeDecodeError:
            raise self._error("a text that is no UTF-8") from None

    def _count(self, limit: int, what: str) -> int:
        count = self._number("<Q")
        if count > limit:
            raise self._error(f"{count} {what}; at most {limit} are read")
        return count

    def _number(self, code: str) -> int:
        number: int = struct.unpack(code, self._take(struct.calcsize(code)))[0]
        return number

    def _take(self, length: int) -> bytes:
        if length > self._size - self._at:
            raise self._error(f"truncated: {length} bytes wanted at byte {self._at}")
        self._at += length
        return self._data[self._at - length : self._at]

    def _error(self, what: str) -> ModelFileError:
        return ModelFileError(f"{self._path}: damaged or unknown GGUF: {what}")
