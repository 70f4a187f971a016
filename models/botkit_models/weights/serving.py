"""Canonical tensors to the names the decoder serves from: q, k, v in one matrix, gate and up too.

One wide product costs less than three narrow ones, on every backend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from botkit.errors import ModelFileError
from botkit_models.config import DecoderConfig

Float = NDArray[np.float32]
Load = Callable[[], Float]


def serving_tensors(
    config: DecoderConfig, tensors: Mapping[str, Callable[[], NDArray[np.generic]]]
) -> dict[str, Load]:
    """Serving name to a function that loads it as float32; nothing is read before the call.

    Raises:
        ModelFileError: A tensor that the configuration calls for is missing.
    """
    served: dict[str, Load] = {}
    fused = _fused_names(config)
    parts = {part for group in fused.values() for part in group}
    for name in tensors:
        if name not in parts:
            served[name] = _loader(tensors, (name,))
    for name, group in fused.items():
        missing = [part for part in group if part not in tensors]
        if not missing:
            served[name] = _loader(tensors, group)
        elif name.endswith(".weight"):
            raise ModelFileError(f"the checkpoint has no tensor {missing[0]!r}")
    for name in required_names(config):
        if name not in served:
            raise ModelFileError(f"the checkpoint has no tensor {name!r}")
    return served


def required_names(config: DecoderConfig) -> list[str]:
    """Serving names that every checkpoint of this configuration has."""
    names = ["embed.weight", "final_norm.weight"]
    names += ["position.weight"] if config.position == "learned" else []
    names += [] if config.tie_embeddings else ["head.weight"]
    up = "gate_up" if config.gated else "up"
    per_layer = ["attn_norm", "mlp_norm", "attn.qkv", "attn.out", f"mlp.{up}", "mlp.down"]
    per_layer += ["attn.q_norm", "attn.k_norm"] if config.qk_norm else []
    per_layer += ["attn_post_norm", "mlp_post_norm"] if config.post_norms else []
    for layer in range(config.num_layers):
        names += [f"layers.{layer}.{part}.weight" for part in per_layer]
    return names


def _fused_names(config: DecoderConfig) -> dict[str, tuple[str, ...]]:
    fused: dict[str, tuple[str, ...]] = {}
    for layer in range(config.num_layers):
        for kind in ("weight", "bias"):
            attn, mlp = f"layers.{layer}.attn", f"layers.{layer}.mlp"
            fused[f"{attn}.qkv.{kind}"] = tuple(f"{attn}.{part}.{kind}" for part in "qkv")
            if config.gated:
                fused[f"{mlp}.gate_up.{kind}"] = (f"{mlp}.gate.{kind}", f"{mlp}.up.{kind}")
    return fused


def _loader(
    tensors: Mapping[str, Callable[[], NDArray[np.generic]]], names: tuple[str, ...]
) -> Load:
    def load() -> Float:
        arrays = [np.asarray(tensors[name](), dtype=np.float32) for name in names]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return load
