"""Arithmetic that gives the same bits in every program.

Sums and maxima of the last axis are written as merges of halves, not as reductions: XLA:CPU gives a
large reduction, and the arithmetic beside it, to another library than a small one, and that one
rounds otherwise. What a row gives would then depend on how many rows or cache blocks stand beside
it.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

LARGEST = float(np.finfo(np.float32).max)
Merge = Callable[[Array, Array], Array]


def fold(x: Array, merge: Merge) -> Array:
    """Merge the last axis of ``x [..., n]`` to one number, ``[..., 1]``."""
    while x.shape[-1] % 2 == 0:
        first, second = jnp.split(x, 2, axis=-1)
        x = merge(first, second)
    return fold_leading(jnp.moveaxis(x, -1, 0), merge)[..., None]


def fold_leading(parts: Array, merge: Merge) -> Array:
    """Merge ``[N, ...]`` over ``N``, the first first."""
    merged = parts[0]
    for place in range(1, parts.shape[0]):
        merged = merge(merged, parts[place])
    return merged


def rounded(x: Array) -> Array:
    """``x``, a product that will be added to something, as the float32 that it is.

    A compiler may merge the two into one operation that rounds once instead of twice, and whether
    it does depends on the batch. It cannot see through a limit that no number passes.
    """
    return jnp.clip(x, -LARGEST, LARGEST)
