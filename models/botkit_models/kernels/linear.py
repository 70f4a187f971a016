"""A projection with int8 weights as a call of the kernel."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from botkit_models.kernels.shapes import float32

TARGET = "botkit_linear"


def supports_linear(weight: Array | jax.ShapeDtypeStruct, scale: object) -> bool:
    """Whether the kernel takes this weight: int8 ``[out, in]`` with a scale per output."""
    return weight.dtype == jnp.int8 and weight.ndim == 2 and scale is not None


def linear(
    x: Array,
    weight: Array,
    scale: Array,
    positions: Array,
    *,
    rms_eps: float | None = None,
    gated_silu: bool = False,
    residual: Array | None = None,
) -> Array:
    """``x @ (weight * scale).T`` with activations quantised to 16 bits, one scale per row.

    Integer products are summed exactly, so a row's result is the same bits whatever rows it comes
    with, and however the work is divided.

    Args:
        x: Rows ``[N, in]`` float32.
        weight: ``[out, in]`` int8, with ``gated_silu`` ``[gate; up]``.
        scale: ``[out]`` float32.
        positions: ``[N]`` int32; rows with a negative one are padding, cost nothing and give 0.
        rms_eps: Normalise rows by their root mean square first, with this epsilon.
        gated_silu: Give ``silu(gate) * up``, half as wide.
        residual: ``[N, out]`` float32, added to the result.

    Returns:
        ``[N, out]`` float32, ``[N, out / 2]`` with ``gated_silu``.
    """
    outs = weight.shape[0] // (2 if gated_silu else 1)
    call = jax.ffi.ffi_call(TARGET, float32(x.shape[0], outs))
    result: Array = call(
        x,
        weight,
        scale,
        positions,
        x if residual is None else residual,
        eps=np.float32(rms_eps or 0.0),
        gated=np.int32(gated_silu),
        norm=np.int32(rms_eps is not None),
        residual=np.int32(residual is not None),
    )
    return result
