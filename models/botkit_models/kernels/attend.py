"""Attention over a paged cache as a call of the kernel."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from botkit_models.kernels.shapes import float32

TARGET = "botkit_attend"
BLOCK = 16
_LANES = 8


def supports_attend(head_dim: int, keys: Array | jax.ShapeDtypeStruct) -> bool:
    """Whether the kernel takes this cache: float16 blocks of 16 positions, ``D`` in eights."""
    return bool(
        head_dim % _LANES == 0
        and keys.dtype == jnp.float16
        and keys.ndim == 4
        and keys.shape[2:] == (BLOCK, head_dim)
    )


def attend(
    q: Array,
    k: Array,
    v: Array,
    cos: Array | None,
    sin: Array | None,
    positions: Array,
    slots: Array,
    tables: Array,
    keys: Array,
    values: Array,
    *,
    scale: float,
    window: int | None = None,
    softcap: float | None = None,
) -> tuple[Array, Array, Array]:
    """Write new keys and values into the cache, then attend causally over it.

    A query's result is the same bits whatever tokens it comes with, and however the work is
    divided. Tokens of one slot must be neighbours and in ascending order.

    Args:
        q: Queries ``[N, H, D]`` float32, before rotary embedding unless ``cos`` is None.
        k: Keys ``[N, K, D]`` float32, likewise.
        v: Values ``[N, K, D]`` float32.
        cos: ``[N, D/2]`` float32, of half-split pairs; None: nothing is rotated.
        sin: Likewise.
        positions: ``[N]`` int32; tokens of a negative one are padding, cost nothing and give 0.
        slots: ``[N]`` int32, each token's row of ``tables``.
        tables: ``[R, M]`` int32: number of the block that holds positions ``16 m`` and on.
        keys: Cache ``[P, K, 16, D]`` float16, changed in place where XLA may.
        values: Likewise.
        scale: Factor of the scores.
        window: How many positions back a query sees (itself included), or None.
        softcap: Scores become ``cap * tanh(score / cap)``, or None.

    Returns:
        Mixed values ``[N, H * D]`` float32, and the cache with the new keys and values.
    """
    N, H, D = q.shape
    results = (float32(N, H * D), keys, values)
    call = jax.ffi.ffi_call(TARGET, results, input_output_aliases={6: 1, 7: 2})
    mixed, keys, values = call(
        q,
        k,
        v,
        positions,
        slots,
        tables,
        keys,
        values,
        q if cos is None else cos,
        q if sin is None else sin,
        rotate=np.int32(cos is not None),
        scale=np.float32(scale),
        softcap=np.float32(softcap or 0.0),
        window=np.int32(window or 0),
    )
    return mixed, keys, values
