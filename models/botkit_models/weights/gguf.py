"""Reading GGUF files: checked header, de-quantised tensors in canonical names and order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import ml_dtypes
import numpy as np

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig
from botkit_models.weights.checkpoint import Array, Checkpoint
from botkit_models.weights.gguf_config import gguf_decoder_config
from botkit_models.weights.gguf_header import (
    QUANT_TYPES,
    GGUFHeader,
    GGUFTensor,
    read_gguf_header,
)
from botkit_models.weights.gguf_names import ROPE_FACTORS, fused_name, gguf_name
from botkit_models.weights.gguf_tokenizer import read_gguf_tokenizer
from botkit_models.weights.mapped import map_bytes
from botkit_models.weights.shapes import check_tensors, tensor_shapes

PLAIN = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16}
METADATA_KEYS = {
    "general.name": "name",
    "general.license": "licence",
    "general.organization": "organization",
}


def read_gguf(path: Path) -> Checkpoint:
    """Read a model from one GGUF file; the header now, a tensor when it is asked for.

    Quantised tensors come as float32, the others in their own dtype. Llama's query and key rows
    are brought from interleaved rotary pairs to half-split ones; GPT-2's fused projection is split.

    Raises:
        ModelFileError: The file is damaged, or its architecture, quantisation or tokenizer is not
            supported. A tensor's values are checked when it is loaded.
    """
    header = read_gguf_header(path)
    factors = header.tensors.get(ROPE_FACTORS)
    config = gguf_decoder_config(header, None if factors is None else _load(path, factors))
    return Checkpoint(
        config=config,
        tokenizer=read_gguf_tokenizer(header),
        tensors=_canonical(header, config),
        metadata=_people_metadata(header),
    )


def _canonical(header: GGUFHeader, config: DecoderConfig) -> dict[str, Callable[[], Array]]:
    if config.num_layers > len(header.tensors):
        raise ModelFileError(f"{header.path}: more layers than tensors")
    tensors: dict[str, Callable[[], Array]] = {}
    found: dict[str, tuple[int, ...]] = {}
    used = {ROPE_FACTORS}
    for name in tensor_shapes(config):
        source, part = gguf_name(name), None
        fused = fused_name(name)
        if source not in header.tensors and fused is not None:
            source, part = fused
        tensor = header.tensors.get(source)
        if tensor is None:
            continue
        used.add(source)
        found[name] = tensor.shape if part is None else _third(tensor)
        load = partial(_load, header.path, tensor)
        heads = _permuted_heads(name, config)
        if part is not None:
            load = partial(_part, load, part)
        if heads:
            load = partial(_half_split, load, heads)
        tensors[name] = load
    found |= {name: t.shape for name, t in header.tensors.items() if name not in used}
    check_tensors(config, found, header.path)
    return tensors


def _permuted_heads(name: str, config: DecoderConfig) -> int:
    """How many heads a permuted tensor has; 0 when its rows are as Hugging Face has them."""
    if config.family != "llama":
        return 0
    if ".attn.q." in name:
        return config.num_heads
    return config.num_kv_heads if ".attn.k." in name else 0


def _half_split(load: Callable[[], Array], heads: int) -> Array:
    """Rows (pair, half) of each head, as llama.cpp's converter orders them, to (half, pair)."""
    array = load()
    paired = array.reshape(heads, -1, 2, *array.shape[1:])
    return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(array.shape)


def _third(tensor: GGUFTensor) -> tuple[int, ...]:
    rows, *rest = tensor.shape
    return (rows // 3, *rest) if rows % 3 == 0 else tensor.shape


def _part(load: Callable[[], Array], part: int) -> Array:
    return np.split(load(), 3, axis=0)[part]


def _load(path: Path, tensor: GGUFTensor) -> Array:
    raw = map_bytes(path, tensor.start, tensor.size)
    if tensor.quant in PLAIN:
        array: Array = raw.view(PLAIN[tensor.quant]).reshape(tensor.shape)
    else:
        array = _dequantised(raw, tensor)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{path}: tensor {tensor.name} holds values that are no numbers")
    return array


def _dequantised(raw: Array, tensor: GGUFTensor) -> Array:
    import gguf

    rows = raw.reshape(*tensor.shape[:-1], -1)
    with np.errstate(all="ignore"):
        array: Array = gguf.quants.dequantize(rows, gguf.GGMLQuantizationType[tensor.quant])
    return array


def _people_metadata(header: GGUFHeader) -> dict[str, str]:
    texts = {
        short: header.metadata[key]
        for key, short in METADATA_KEYS.items()
        if isinstance(header.metadata.get(key), str)
    }
    counts = {quant: 0 for quant, _, _ in QUANT_TYPES.values()}
    for tensor in header.tensors.values():
        counts[tensor.quant] += 1
    kinds = ", ".join(f"{count} {quant}" for quant, count in counts.items() if count)
    return {"name": header.path.stem, **texts, "source": f"gguf ({kinds})"}
