"""Low-rank changes of projections, row by row (LoRA, Hu et al. 2021, arXiv:2106.09685).

Each conversation of a batch has an adapter of its own; the projection they share stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

BLOCK_ROWS = 8


class Stack(NamedTuple):
    """One projection's changes by ``n`` adapters: ``x -> x @ a[i].T @ b[i].T`` for adapter ``i``.

    ``a [n, r, in]`` and ``b [n, out, r]`` float32; ``r`` is the largest rank, and what an adapter
    does not have is zero.
    """

    a: Array
    b: Array


class Change(NamedTuple):
    """One projection's change in a batch: ``ids [B]`` int32 says which adapter each row has."""

    stack: Stack
    ids: Array

    def __call__(self, x: Array) -> Array:
        """What is added to the projection of ``x [B, T, in]`` float32: ``[B, T, out]``."""
        added: Array = lax.platform_dependent(
            x, *self.stack, self.ids, cpu=_in_blocks, default=_gathered
        )
        return added


class Adapters(NamedTuple):
    """The adapters of a batch.

    Fields:
        stacks: Per layer, served projection (``attn.qkv``) to its stack, where any changes it.
        ids: Which adapter each conversation has, ``[B]`` int32.
    """

    stacks: Sequence[Mapping[str, Stack]]
    ids: Array

    def change(self, layer: int, projection: str) -> Change | None:
        """What the adapters do to one projection, or None: nothing."""
        stack = self.stacks[layer].get(projection)
        return None if stack is None else Change(stack, self.ids)


def change_of(adapters: Adapters | None, layer: int, projection: str) -> Change | None:
    """:meth:`Adapters.change`, where there may be no adapters at all."""
    return None if adapters is None else adapters.change(layer, projection)


def _gathered(x: Array, a: Array, b: Array, ids: Array) -> Array:
    inner = jnp.einsum("bti,bri->btr", x, a[ids])  # B,T,r
    return jnp.einsum("btr,bor->bto", inner, b[ids])  # B,T,out


def _in_blocks(x: Array, a: Array, b: Array, ids: Array) -> Array:
    """Blocks of always as many rows, one after another.

    XLA:CPU rounds a product differently with its number of rows. In products of one shape a row
    comes out the same whatever program it is in, and wherever in a block it stands.
    """
    B, T, inside = x.shape
    blocks = -(-T // BLOCK_ROWS)
    x = jnp.pad(x, ((0, 0), (0, blocks * BLOCK_ROWS - T), (0, 0)))
    rows = x.reshape(B * blocks, BLOCK_ROWS, inside)  # N,R,in

    def one(block: tuple[Array, Array]) -> Array:
        rows, id = block
        inner = jnp.matmul(rows, lax.dynamic_index_in_dim(a, id, keepdims=False).T)  # R,r
        return jnp.matmul(inner, lax.dynamic_index_in_dim(b, id, keepdims=False).T)  # R,out

    changed: Array = lax.map(one, (rows, jnp.repeat(ids, blocks)))  # N,R,out
    return changed.reshape(B, blocks * BLOCK_ROWS, -1)[:, :T]  # B,T,out
