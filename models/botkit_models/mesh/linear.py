"""Projections, tables and norms of a decoder that lies on a mesh.

int8 weights are multiplied as numbers of the activations' dtype: an accelerator widens them on
their way out of memory, which is what a step waits for, and no activation is quantised, whose
peaks would have to be agreed on between devices.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jax import Array, lax
from jax.typing import DTypeLike

from botkit_models.gpt.embedding import Embedding
from botkit_models.gpt.linear import Linear
from botkit_models.gpt.norm import Norm
from botkit_models.mesh.axes import Axes
from botkit_models.mesh.layout import Layout


class MeshLinear(Linear):
    """``x @ weight.T``, times the scale of int8 weights, plus the bias.

    Args:
        tensors: Holds ``NAME.weight [out, in]``, perhaps ``NAME.scale [out]``, ``NAME.bias [out]``.
        name: The prefix.
        layout: Where things lie.
        axes: The result's: rows, tokens and outputs.
        dtype: Of the products that devices exchange, and of the result.
    """

    def __init__(
        self,
        tensors: Mapping[str, Array],
        name: str,
        layout: Layout,
        axes: Axes,
        dtype: DTypeLike,
    ) -> None:
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale, bias = tensors.get(f"{name}.scale"), tensors.get(f"{name}.bias")
        self.scale = nnx.Param(scale) if scale is not None else None
        self.bias = nnx.Param(bias) if bias is not None else None
        self.layout, self.axes, self.dtype = layout, axes, dtype

    def __call__(
        self, x: Array, positions: Array, *, norm: Norm | None = None, residual: Array | None = None
    ) -> Array:
        """``x [B, T, in]``, normalised first if asked -> ``[B, T, out]``, plus ``residual``."""
        x = x if norm is None else norm(x)
        y = product(x, self.weight[...], self.dtype)  # B,T,out
        y = self.layout.constrain(y, *self.axes).astype(jnp.float32)
        if self.scale is not None:
            y = y * self.scale[...]
        if self.bias is not None:
            y = y + self.bias[...].astype(jnp.float32)
        return (y if residual is None else residual + y).astype(self.dtype)


class MeshEmbedding(Embedding):
    """``NAME.weight [V, E]``, float, or int8 with ``NAME.scale [V]``."""

    def __init__(
        self, tensors: Mapping[str, Array], name: str, layout: Layout, dtype: DTypeLike
    ) -> None:
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale = tensors.get(f"{name}.scale")
        self.scale = nnx.Param(scale) if scale is not None else None
        self.layout, self.dtype = layout, dtype

    def __call__(self, ids: Array) -> Array:
        """Vectors ``[B, T, E]`` of ids ``[B, T]`` int32."""
        rows = self.weight[...][ids].astype(jnp.float32)
        if self.scale is not None:
            rows = rows * self.scale[...][ids][..., None]
        return self.layout.constrain(rows.astype(self.dtype), "rows", "tokens", "embed")

    def attend(self, x: Array, positions: Array) -> Array:
        """Products ``[B, V]`` float32 of ``x [B, E]`` with every vector."""
        y = product(x.astype(self.dtype), self.weight[...], jnp.float32)  # B,V
        y = self.layout.constrain(y, "rows", "vocab")
        return y if self.scale is None else y * self.scale[...]


class MeshHead(Linear):
    """The output head of a model that does not share its table of tokens."""

    def __init__(self, tensors: Mapping[str, Array], layout: Layout, dtype: DTypeLike) -> None:
        self.table = MeshEmbedding(tensors, "head", layout, dtype)

    def __call__(
        self, x: Array, positions: Array, *, norm: Norm | None = None, residual: Array | None = None
    ) -> Array:
        """``x [B, E]`` -> logits ``[B, V]`` float32."""
        return self.table.attend(x, positions)


class MeshNorm(Norm):
    """A norm in plain sums, which XLA divides over devices."""

    def __call__(self, x: Array) -> Array:
        """``x [..., dim]`` -> the same shape and dtype."""
        real = x.astype(jnp.float32)
        if self.centered:
            real = real - real.mean(axis=-1, keepdims=True)
        real = real * lax.rsqrt((real * real).mean(axis=-1, keepdims=True) + self.eps)
        if self.weight is not None:
            real = real * (self.weight[...].astype(jnp.float32) + self.offset)
        if self.bias is not None:
            real = real + self.bias[...].astype(jnp.float32)
        return real.astype(x.dtype)


def product(x: Array, weight: Array, dtype: DTypeLike) -> Array:
    """``x [..., in]`` times ``weight [out, in]``, multiplied in ``x``'s dtype."""
    return lax.dot_general(
        x,
        weight.astype(x.dtype),
        (((x.ndim - 1,), (1,)), ((), ())),
        preferred_element_type=jnp.dtype(dtype),
    )
