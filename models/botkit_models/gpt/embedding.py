"""A table of vectors, looked up by id and (tied models) multiplied with to give logits."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jax import Array

from botkit_models.gpt.linear import int8_matmul
from botkit_models.gpt.rows import Rows


class Embedding(nnx.Module):
    """``NAME.weight [V, E]``, float, or int8 with ``NAME.scale [V]`` float32."""

    def __init__(self, tensors: Mapping[str, Array], name: str) -> None:
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale = tensors.get(f"{name}.scale")
        self.scale = nnx.Param(scale) if scale is not None else None

    def __call__(self, ids: Array) -> Array:
        """Vectors ``[..., E]`` float32 of ids ``[...]`` int32."""
        rows = self.weight[...][ids].astype(jnp.float32)
        return rows if self.scale is None else rows * self.scale[...][ids][..., None]

    def attend(self, x: Rows) -> Array:
        """Products ``[..., V]`` float32 of rows ``[..., E]`` with every vector."""
        if self.scale is None:
            values = x.scaled()
            return jnp.matmul(values, self.weight[...].T.astype(values.dtype))
        return int8_matmul(x, self.weight[...], self.scale[...])
