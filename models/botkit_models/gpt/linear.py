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

from botkit_models import kernels
from botkit_models.gpt.norm import Norm
from botkit_models.gpt.rows import Rows, rows_of

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
            twice the rows. For inputs with outliers; no effect on float weights, nor on kernels,
            which always do.
        use_kernels: Let int8 weights be multiplied by :func:`botkit_models.kernels.linear`.
    """

    def __init__(
        self,
        tensors: Mapping[str, Array],
        name: str,
        *,
        fine: bool = False,
        use_kernels: bool = False,
    ) -> None:
        self.fine = fine
        self.weight = nnx.Param(tensors[f"{name}.weight"])
        scale, bias = tensors.get(f"{name}.scale"), tensors.get(f"{name}.bias")
        self.scale = nnx.Param(scale) if scale is not None else None
        self.bias = nnx.Param(bias) if bias is not None else None
        self.use_kernels = use_kernels and scale is not None

    def __call__(
        self, x: Array, positions: Array, *, norm: Norm | None = None, residual: Array | None = None
    ) -> Array:
        """Project ``x [..., in]`` float32 to ``[..., out]`` float32.

        Args:
            x: Rows.
            positions: ``[...]`` int32; rows of a negative one are padding, of any result.
            norm: Applied to ``x`` first.
            residual: ``[..., out]``, added to the result.
        """
        if self.use_kernels:
            return self._by_kernel(x, positions, norm, residual)
        y = self._plain(rows_of(x) if norm is None else norm.rows(x))
        return y if residual is None else residual + y

    def gated_silu(self, x: Array, positions: Array, norm: Norm) -> Array:
        """``silu(gate) * up`` of a projection to ``[gate; up]``; ``[..., out / 2]`` float32."""
        if self.use_kernels and self.bias is None:
            return self._kernel(x, positions, norm, None, gated=True)
        gate, up = jnp.split(self(x, positions, norm=norm), 2, axis=-1)
        return jax.nn.silu(gate) * up

    def _plain(self, x: Rows) -> Array:
        if self.scale is None:
            values = x.scaled()
            y = jnp.matmul(values, self.weight[...].T.astype(values.dtype))
        else:
            y = int8_matmul(x, self.weight[...], self.scale[...], fine=self.fine)
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)

    def _by_kernel(
        self, x: Array, positions: Array, norm: Norm | None, residual: Array | None
    ) -> Array:
        if self.bias is None:
            return self._kernel(x, positions, norm, residual)
        y = self._kernel(x, positions, norm, None) + self.bias[...]
        return y if residual is None else residual + y

    def _kernel(
        self,
        x: Array,
        positions: Array,
        norm: Norm | None,
        residual: Array | None,
        gated: bool = False,
    ) -> Array:
        assert self.scale is not None
        rms_eps = None if norm is None else norm.plain_rms_eps
        if norm is not None and rms_eps is None:
            x = norm(x)
        y: Array = kernels.linear(
            x.reshape(-1, x.shape[-1]),
            self.weight[...],
            self.scale[...],
            positions.reshape(-1),
            rms_eps=rms_eps,
            gated_silu=gated,
            residual=None if residual is None else residual.reshape(-1, residual.shape[-1]),
        )
        return jnp.reshape(y, (*x.shape[:-1], -1))


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
