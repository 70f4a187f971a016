"""A table of vectors, looked up by id and (tied models) multiplied with to give logits."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jax import Array

from botkit_models import kernels
from botkit_models.gpt.linear import int8_matmul
from botkit_models.gpt.rows import rows_of


class Embedding(nnx.Module):
    """``NAME.weight [V, E]``, float, or int8 with ``NAME.scale [V]`` float32."""

    def __init__(
        self, tensors: Mapping[str, Array], name: str, *, use_kernels: bool = False
    ) -> None:
        self.use_kernels = use_kernels
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale = tensors.get(f"{name}.scale")
        self.scale = nnx.Param(scale) if scale is not None else None

    def __call__(self, ids: Array) -> Array:
        """Vectors ``[..., E]`` float32 of ids ``[...]`` int32."""
        rows = self.weight[...][ids].astype(jnp.float32)
        return rows if self.scale is None else rows * self.scale[...][ids][..., None]

    def attend(self, x: Array, positions: Array) -> Array:
        """Products ``[..., V]`` float32 of ``x [..., E]`` with every vector.

        Rows of a negative position ``[...]`` int32 are padding, of any result.
        """
        if self.scale is None:
            return jnp.matmul(x, self.weight[...].T.astype(x.dtype))
        if not self.use_kernels:
            return int8_matmul(rows_of(x), self.weight[...], self.scale[...])
        rows = x.reshape(-1, x.shape[-1])
        y: Array = kernels.linear(rows, self.weight[...], self.scale[...], positions.reshape(-1))
        return jnp.reshape(y, (*x.shape[:-1], -1))
