"""A projection with float or int8 weights.

int8 is W8A8: one scale per output channel of the weight, one per row of the activation, integer
products. Integer sums are exact, so a row's result never depends on what else is in the batch.
Source of the scheme: Dettmers et al. 2022 (arXiv:2208.07339), without the outlier split.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

INT8_MAX = 127.0
MIN_INTEGER_ROWS = 2  # XLA:CPU's integer dot with one row is a scalar loop; two rows are a library call


class Linear(nnx.Module):
    """``x @ weight.T + bias``.

    Args:
        tensors: Holds ``NAME.weight [out, in]`` (float, or int8 with ``NAME.scale [out]`` float32)
            and perhaps ``NAME.bias [out]``.
        name: The prefix.
    """

    def __init__(self, tensors: Mapping[str, Array], name: str) -> None:
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale, bias = tensors.get(f"{name}.scale"), tensors.get(f"{name}.bias")
        self.scale = nnx.Param(scale) if scale is not None else None
        self.bias = nnx.Param(bias) if bias is not None else None

    def __call__(self, x: Array) -> Array:
        """Project ``x [..., in]`` to ``[..., out]`` float32."""
        if self.scale is None:
            y = jnp.matmul(x, self.weight[...].T.astype(x.dtype))
        else:
            y = int8_matmul(x, self.weight[...], self.scale[...])
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


def int8_matmul(x: Array, weight: Array, scale: Array) -> Array:
    """``x [..., in]`` float times ``weight [out, in]`` int8 with ``scale [out]`` -> float32."""
    rows = x.reshape(-1, x.shape[-1])  # N,in
    quantized, row_scale = quantize_rows(rows)  # N,in  N,1
    product = integer_matmul(quantized, weight)  # N,out int32
    y = product.astype(jnp.float32) * row_scale * scale  # N,out
    return y.reshape(*x.shape[:-1], weight.shape[0])


def quantize_rows(rows: Array) -> tuple[Array, Array]:
    """Rows ``[N, in]`` as int8 and their scales ``[N, 1]``: ``rows ~ int8 * scale``."""
    peak = jnp.max(jnp.abs(rows), axis=-1, keepdims=True)  # N,1
    inverse = jnp.where(peak > 0, INT8_MAX / peak, 0.0)  # N,1
    quantized = jnp.round(rows * inverse).astype(jnp.int8)  # N,in
    return quantized, peak * (1.0 / INT8_MAX)


def integer_matmul(rows: Array, weight: Array) -> Array:
    """``rows [N, in]`` int8 times ``weight [out, in]`` int8 -> ``[N, out]`` int32, exact."""
    count = rows.shape[0]
    if count < MIN_INTEGER_ROWS and jax.default_backend() == "cpu":
        rows = jnp.pad(rows, ((0, MIN_INTEGER_ROWS - count), (0, 0)))
    product = lax.dot_general(
        rows, weight, (((1,), (1,)), ((), ())), preferred_element_type=jnp.int32
    )
    return product[:count]
