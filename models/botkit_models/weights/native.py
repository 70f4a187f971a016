"""The serving form of a model: one folder that is memory-mapped at start.

::

    config.json          format version, DecoderConfig, metadata
    tokenizer.json       TokenizerSpec
    weights.safetensors  every tensor 64-byte aligned in the file

The weights are an ordinary safetensors file. The format allows no gaps between tensors, so
alignment is made of filler tensors (``filler.N``, zero bytes), which readers here leave out.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.weights.checkpoint import Array, TokenizerSpec
from botkit_models.weights.mapped import map_bytes
from botkit_models.weights.replacing import flush, replacing, write_text
from botkit_models.weights.safetensors_file import (
    DTYPE_NAMES,
    parse_json_object,
    read_safetensors,
)
from botkit_models.weights.tokenizer_files import MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES, read_text

FORMAT = "botkit-native"
VERSION = 1
ALIGNMENT = 64
FILLER = "filler."
CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "weights.safetensors"


class TensorSource(NamedTuple):
    """A tensor to be written: what it will be, and how to get it when its turn comes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    load: Callable[[], Array]


@dataclass(frozen=True)
class NativeModel:
    """A model as served. ``tensors`` are read-only views of the mapped file."""

    folder: Path
    config: DecoderConfig
    tokenizer: TokenizerSpec
    tensors: Mapping[str, Array]
    metadata: Mapping[str, str] = field(default_factory=dict)


def write_native(
    folder: Path,
    config: DecoderConfig,
    tokenizer: TokenizerSpec,
    tensors: Mapping[str, TensorSource],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a serving folder, one tensor in memory at a time.

    The folder appears whole or not at all: it is written beside its place, flushed to disk and
    renamed. A folder already there is replaced.

    Args:
        folder: Where; its parent must exist.
        tensors: Any names; int8, bfloat16, float16, float32 or another dtype of safetensors.
        metadata: Short texts for people.

    Raises:
        PullError: The disk is full or the folder cannot be written.
        ModelFileError: A tensor is not what its source promised.
    """
    about = {"format": FORMAT, "version": VERSION, "metadata": dict(metadata or {})}
    about["config"] = json.loads(config.to_json())
    with replacing(folder) as partial:
        write_text(partial / CONFIG_FILE, json.dumps(about, indent=1))
        write_text(partial / TOKENIZER_FILE, json.dumps(dataclasses.asdict(tokenizer)))
        with (partial / WEIGHTS_FILE).open("wb") as file:
            _write_tensors(file, tensors)
            flush(file)


def open_native(folder: Path) -> NativeModel:
    """Open a serving folder; weights are mapped, not read.

    Raises:
        ModelFileError: A file is missing, truncated, damaged or of a newer version.
    """
    about = _read_json(folder / CONFIG_FILE, MAX_CONFIG_BYTES)
    if about.get("format") != FORMAT or about.get("version") != VERSION:
        raise ModelFileError(
            f"{folder} is no {FORMAT} folder of version {VERSION}; pull the model again"
        )
    metadata = about.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelFileError(f"{folder / CONFIG_FILE}: metadata must map texts to texts")
    return NativeModel(
        folder=folder,
        config=DecoderConfig.from_json(json.dumps(about.get("config"))),
        tokenizer=read_tokenizer_spec(folder / TOKENIZER_FILE),
        tensors=_map_tensors(folder / WEIGHTS_FILE),
        metadata=metadata,
    )


def _map_tensors(path: Path) -> dict[str, Array]:
    """One mapping of the whole file, and a view of it per tensor."""
    file = read_safetensors(path)
    size = max((entry.start + entry.size for entry in file.entries.values()), default=0)
    raw = map_bytes(path, 0, size)
    tensors: dict[str, Array] = {}
    for name, entry in file.entries.items():
        if name.startswith(FILLER):
            continue
        array: Array = raw[entry.start : entry.start + entry.size]
        if entry.start % entry.dtype.itemsize:
            array = array.copy()
        tensors[name] = array.view(entry.dtype).reshape(entry.shape)
    return tensors


def read_tokenizer_spec(path: Path) -> TokenizerSpec:
    """A TokenizerSpec that was written as JSON.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    fields = _read_json(path, 2 * MAX_TOKENIZER_BYTES)
    texts = ("chat_template", "bos_token", "eos_token", "pad_token")
    ids = fields.get("eos_ids")
    sound = (
        isinstance(fields.get("json"), str)
        and all(isinstance(fields.get(name), str | None) for name in texts)
        and isinstance(ids, list)
        and all(type(id) is int and 0 <= id < 1 << 31 for id in ids)
        and type(fields.get("add_bos")) is bool
    )
    if not sound or set(fields) != {field.name for field in dataclasses.fields(TokenizerSpec)}:
        raise ModelFileError(f"{path} is damaged; pull the model again")
    return TokenizerSpec(**{**fields, "eos_ids": tuple(ids or ())})


def _read_json(path: Path, limit: int) -> dict[str, Any]:
    return parse_json_object(read_text(path, limit).encode(), path)


def _write_tensors(file: BinaryIO, tensors: Mapping[str, TensorSource]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    position = 0
    for index, (name, source) in enumerate(tensors.items()):
        if name.startswith(FILLER) or source.dtype not in DTYPE_NAMES:
            raise ModelFileError(f"tensor {name} of {source.dtype} cannot be written")
        size = math.prod(source.shape) * source.dtype.itemsize
        header[name] = _entry(DTYPE_NAMES[source.dtype], source.shape, position, size)
        position += size
        filler = -position % ALIGNMENT
        if filler:
            header[f"{FILLER}{index}"] = _entry("U8", (filler,), position, filler)
            position += filler
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    file.write(len(text).to_bytes(8, "little") + text)
    for name, source in tensors.items():
        file.write(_bytes(name, source))
        file.write(b"\0" * (-file.tell() % ALIGNMENT))


def _entry(dtype: str, shape: tuple[int, ...], start: int, size: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, start + size]}


def _bytes(name: str, source: TensorSource) -> memoryview:
    array = source.load()
    if array.shape != source.shape or array.dtype != source.dtype:
        raise ModelFileError(
            f"tensor {name} is {array.dtype} {list(array.shape)}, "
            f"promised was {source.dtype} {list(source.shape)}"
        )
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def weights_kind(model: NativeModel) -> str:
    """The form of the matrices: ``int8``, ``bfloat16`` or ``float32``."""
    kinds = {array.dtype.name for array in model.tensors.values() if array.ndim > 1}
    return "int8" if "int8" in kinds else min(kinds, default="float32")
