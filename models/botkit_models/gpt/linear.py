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

from botkit_models.gpt.rows import Rows

INT8_MAX = 127.0
REST_UNITS = 254.0
MIN_INTEGER_ROWS = (
    2  # XLA:CPU's integer dot with one row is a scalar loop; two rows are a library call
)


class Linear(nnx.Module):
    """``x @ weight.T + bias``.

    Args:
        tensors: Holds ``NAME.weight [out, in]`` (float, or int8 with ``NAME.scale [out]`` float32)
            and perhaps ``NAME.bias [out]``.
        name: The prefix.
        fine: Quantise activations to about 16 bits, as the sum of two int8 terms, at the price of
            twice the rows. For inputs with outliers; no effect on float weights.
    """

    def __init__(self, tensors: Mapping[str, Array], name: str, *, fine: bool = False) -> None:
        self.fine = fine
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale, bias = tensors.get(f"{name}.scale"), tensors.get(f"{name}.bias")
        self.scale = nnx.Param(scale) if scale is not None else None
        self.bias = nnx.Param(bias) if bias is not None else None

    def __call__(self, x: Rows) -> Array:
        """Project rows ``[..., in]`` to ``[..., out]`` float32."""
        if self.scale is None:
            values = x.scaled()
            y = jnp.matmul(values, self.weight[...].T.astype(values.dtype))
        else:
            y = int8_matmul(x, self.weight[...], self.scale[...], fine=self.fine)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


def int8_matmul(x: Rows, weight: Array, scale: Array, *, fine: bool = False) -> Array:
    """Rows ``[..., in]`` times ``weight [out, in]`` int8 with ``scale [out]`` -> float32.

    ``fine`` is explained at :class:`Linear`.
    """
    rows = x.values.reshape(-1, x.values.shape[-1])  # N,in
    peak = x.peak.reshape(-1, 1)  # N,1
    units = rows * jnp.where(peak > 0, INT8_MAX / peak, 0.0)  # N,in in [-127, 127]
    coarse = jnp.round(units)  # N,in
    if fine:
        # What rounding left, at most half a unit, becomes a second int8 term.
        rest = jnp.round((units - coarse) * REST_UNITS)  # N,in in [-127, 127]
        both = jnp.concatenate([coarse, rest]).astype(jnp.int8)  # 2N,in
        product = integer_matmul(both, weight).astype(jnp.float32)  # 2N,out
        first, second = jnp.split(product, 2)
        product = first + second * (1.0 / REST_UNITS)  # N,out
    else:
        product = integer_matmul(coarse.astype(jnp.int8), weight).astype(jnp.float32)  # N,out
    unit = peak * (1.0 / INT8_MAX)  # N,1
    if x.factor is not None:
        unit = unit * x.factor.reshape(-1, 1)
    y = product * unit * scale  # N,out
    return y.reshape(*x.values.shape[:-1], weight.shape[0])


def integer_matmul(rows: Array, weight: Array) -> Array:
    """``rows [N, in]`` int8 times ``weight [out, in]`` int8 -> ``[N, out]`` int32, exact."""
    count = rows.shape[0]
    if count < MIN_INTEGER_ROWS and jax.default_backend() == "cpu":
        rows = jnp.pad(rows, ((0, MIN_INTEGER_ROWS - count), (0, 0)))
    product = lax.dot_general(
        rows, weight, (((1,), (1,)), ((), ())), preferred_element_type=jnp.int32
    )
    return product[:count]
