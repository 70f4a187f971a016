"""Low-rank changes (LoRA) of a projection as a call of the kernel."""

from __future__ import annotations

import jax
from jax import Array

from botkit_models.kernels.shapes import float32

TARGET = "botkit_low_rank"


def low_rank(x: Array, a: Array, b: Array, ids: Array, positions: Array) -> Array:
    """``x @ a[id].T @ b[id]``, each row with the factors of its own ``id``.

    A row's result is the same bits whatever rows it comes with.

    Args:
        x: Rows ``[N, in]`` float32.
        a: ``[n, r, in]`` float32.
        b: ``[n, r, out]`` float32.
        ids: ``[N]`` int32, each below ``n``.
        positions: ``[N]`` int32; rows with a negative one are padding, cost nothing and give 0.

    Returns:
        ``[N, out]`` float32.
    """
    call = jax.ffi.ffi_call(TARGET, float32(x.shape[0], b.shape[2]))
    result: Array = call(x, a, b, ids, positions)
    return result
