"""Canonical tensors to the names the decoder serves from: q, k, v in one matrix, gate and up too.

One wide product costs less than three narrow ones, on every backend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from botkit_models.config import DecoderConfig
from botkit_models.weights.checkpoint import Array
from botkit_models.weights.shapes import Shapes, tensor_shapes

Float = NDArray[np.float32]
Load = Callable[[], Float]


def serving_tensors(
    config: DecoderConfig, tensors: Mapping[str, Callable[[], Array]]
) -> dict[str, Load]:
    """Serving name to a function that loads it as float32; nothing is read before the call.

    ``tensors`` are a checkpoint's, complete.
    """
    return {name: _loader(tensors, parts) for name, parts in _parts(config).items()}


def serving_shapes(config: DecoderConfig) -> Shapes:
    """Serving name to shape."""
    canonical = tensor_shapes(config)
    shapes: Shapes = {}
    for name, parts in _parts(config).items():
        first = canonical[parts[0]]
        shapes[name] = (sum(canonical[part][0] for part in parts), *first[1:])
    return shapes


def _parts(config: DecoderConfig) -> dict[str, list[str]]:
    """Serving name to the canonical tensors that are stacked to make it, in order."""
    fused = {"attn.q": "attn.qkv", "attn.k": "attn.qkv", "attn.v": "attn.qkv"}
    if config.gated:
        fused |= {"mlp.gate": "mlp.gate_up", "mlp.up": "mlp.gate_up"}
    parts: dict[str, list[str]] = {}
    for name in tensor_shapes(config):
        pieces = name.split(".")
        module = ".".join(pieces[2:-1])
        if pieces[0] == "layers" and module in fused:
            name_served = ".".join([*pieces[:2], fused[module], pieces[-1]])
        else:
            name_served = name
        parts.setdefault(name_served, []).append(name)
    return parts


def _loader(tensors: Mapping[str, Callable[[], Array]], names: list[str]) -> Load:
    def load() -> Float:
        arrays = [np.asarray(tensors[name](), dtype=np.float32) for name in names]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return load
