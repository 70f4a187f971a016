"""RMSNorm and LayerNorm."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from botkit_models.config import DecoderConfig
from botkit_models.gpt.fold import fold
from botkit_models.gpt.rows import Rows, row_sums, rows_of


class Norm(nnx.Module):
    """Normalise the last axis, then scale and shift by what the checkpoint has.

    RMSNorm: Zhang & Sennrich 2019 (arXiv:1910.07467). LayerNorm: Ba et al. 2016
    (arXiv:1607.06450). A weight that conversion folded into the next projection is absent.
    """

    def __init__(self, config: DecoderConfig, tensors: Mapping[str, Array], name: str) -> None:
        weight, bias = tensors.get(f"{name}.weight"), tensors.get(f"{name}.bias")
        self.weight = nnx.Param(weight) if weight is not None else None
        self.bias = nnx.Param(bias) if bias is not None else None
        self.eps = config.norm_eps
        self.offset = config.norm_offset
        self.centered = config.norm == "layer"

    @property
    def plain_rms_eps(self) -> float | None:
        """Its epsilon, where it only divides by the root mean square; else None."""
        plain = not self.centered and self.weight is None and self.bias is None
        return self.eps if plain else None

    def rows(self, x: Array) -> Rows:
        """``x [..., dim]`` normalised, ready for a projection."""
        x = x.astype(jnp.float32)
        if self.centered or self.weight is not None or self.bias is not None:
            return rows_of(self(x))
        squares, peak = row_sums(x)
        return Rows(x, lax.rsqrt(squares / x.shape[-1] + self.eps), peak)

    def __call__(self, x: Array) -> Array:
        """``x [..., dim]`` -> the same shape, float32."""
        x = x.astype(jnp.float32)
        if self.centered:
            x = x - fold(x, jnp.add) / x.shape[-1]
        x = x * lax.rsqrt(fold(x * x, jnp.add) / x.shape[-1] + self.eps)
        if self.weight is not None:
            x = x * (self.weight[...].astype(jnp.float32) + self.offset)
        return x if self.bias is None else x + self.bias[...].astype(jnp.float32)
