"""A model's tensors for a mesh: apart again, and as shapes only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from botkit_models.config import DecoderConfig
from botkit_models.gpt.slot_cache import SlotCache
from botkit_models.mesh.axes import CACHE
from botkit_models.mesh.layout import Layout
from botkit_models.weights.shapes import tensor_shapes

WeightsKind = Literal["int8", "bfloat16"]


def mesh_tensors(config: DecoderConfig, served: Mapping[str, Array]) -> dict[str, Array]:
    """Serving tensors (:mod:`botkit_models.weights.serving`) by canonical names.

    Rows of ``attn.qkv`` become ``attn.q``, ``.k``, ``.v``; of ``mlp.gate_up``, ``mlp.gate`` and
    ``.up``: what is one matrix on one device is cut by heads and features on many.
    """
    D, F = config.head_dim, config.intermediate_size
    queries, shared = config.num_heads * D, config.num_kv_heads * D
    parts = {
        "attn.qkv": {"attn.q": queries, "attn.k": shared, "attn.v": shared},
        "mlp.gate_up": {"mlp.gate": F, "mlp.up": F},
    }
    tensors: dict[str, Array] = {}
    for name, tensor in served.items():
        module = ".".join(name.split(".")[2:-1])
        start = 0
        for part, rows in parts.get(module, {module: len(tensor)}).items():
            tensors[name.replace(module, part) if module else name] = tensor[start : start + rows]
            start += rows
    return tensors


def abstract_tensors(
    config: DecoderConfig, layout: Layout, weights: WeightsKind
) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes, dtypes and places of a model's tensors; nothing is allocated."""
    tensors: dict[str, jax.ShapeDtypeStruct] = {}

    def add(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        tensors[name] = abstract(shape, dtype, layout.of_parameter(name))

    for name, shape in tensor_shapes(config).items():
        matrix = len(shape) == 2 and not name.startswith("position.")
        if not matrix:
            add(name, shape, jnp.float32)
        elif weights == "bfloat16":
            add(name, shape, jnp.bfloat16)
        else:
            add(name, shape, jnp.int8)
            add(name.removesuffix("weight") + "scale", shape[:1], jnp.float32)
    return tensors


def abstract_caches(
    config: DecoderConfig, layout: Layout, slots: int, context: int, dtype: DTypeLike
) -> list[SlotCache]:
    """Shapes, dtypes and places of the caches of every layer; nothing is allocated."""
    shape = (slots, config.num_kv_heads, context, config.head_dim)
    one: Any = abstract(shape, dtype, layout.sharding(*CACHE))
    return [SlotCache(one, one) for _ in range(config.num_layers)]


def abstract(
    shape: tuple[int, ...], dtype: DTypeLike, sharding: jax.sharding.Sharding
) -> jax.ShapeDtypeStruct:
    """An array that is described only."""
    return jax.ShapeDtypeStruct(shape, jnp.dtype(dtype), sharding=sharding)  # type: ignore[no-untyped-call]
