"""Rows of activations on their way into a projection.

A normalised row is a row times one number, and so is an int8 row times its scale. Keeping that
number apart lets normalisation and quantisation share one pass over the row, which on CPU, where
small operations cost as much as large ones, is worth a fifth of a decode step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax


class Rows(NamedTuple):
    """``values [..., E] * factor [..., 1]``; ``peak [..., 1]`` is the largest ``abs(values)``."""

    values: Array
    factor: Array | None
    peak: Array

    def scaled(self) -> Array:
        """The plain product, ``[..., E]`` float32."""
        return self.values if self.factor is None else self.values * self.factor


def rows_of(x: Array) -> Rows:
    """``x [..., E]`` as it is."""

    def merge(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return jnp.maximum(a[0], b[0]), jnp.minimum(a[1], b[1])

    highest, lowest = _reduce(x, x, (-jnp.inf, jnp.inf), merge)
    return Rows(x, None, jnp.maximum(highest, -lowest))


def row_sums(x: Array) -> tuple[Array, Array]:
    """Sum of squares and largest magnitude of each row of ``x [..., E]``, both ``[..., 1]``."""

    def merge(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return a[0] + b[0], jnp.maximum(a[1], b[1])

    return _reduce(x * x, jnp.abs(x), (0.0, 0.0), merge)


def _reduce(
    first: Array, second: Array, start: tuple[float, float], merge: Callable[..., Any]
) -> tuple[Array, Array]:
    """One reduction of the last axis with two results, ``[..., 1]`` each.

    XLA cuts a reduction with one result into stages, each a kernel of its own.
    """
    begin = (jnp.float32(start[0]), jnp.float32(start[1]))
    one, two = lax.reduce((first, second), begin, merge, (first.ndim - 1,))
    return one[..., None], two[..., None]
