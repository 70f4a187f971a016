"""Low-rank changes of projections, row by row (LoRA, Hu et al. 2021, arXiv:2106.09685).

Each conversation of a batch has an adapter of its own; the projection they share stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from botkit_models import kernels

BLOCK_ROWS = 8


class Stack(NamedTuple):
    """One projection's changes by ``n`` adapters: ``x -> x @ a[i].T @ b[i]`` for adapter ``i``.

    ``a [n, r, in]`` and ``b [n, r, out]`` float32; ``r`` is the largest rank, and what an adapter
    does not have is zero.
    """

    a: Array
    b: Array

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """``(n, r, in, out)``."""
        n, rank, inside = self.a.shape
        return n, rank, inside, self.b.shape[2]


LoraShapes = Sequence[Mapping[str, tuple[int, int, int, int]]]
"""Of stacks: per layer, projection to ``(n, r, in, out)``; empty where there are no adapters."""


class Adapters(NamedTuple):
    """The adapters of a batch.

    Fields:
        stacks: Per layer, served projection (``attn.qkv``) to its stack, where any changes it.
        ids: Which adapter each conversation has, ``[B]`` int32.
    """

    stacks: Sequence[Mapping[str, Stack]]
    ids: Array


@dataclass(frozen=True)
class Changes:
    """What adapters change in one layer.

    Fields:
        stacks: By projection; one that is not there stays as it is.
        ids: Which adapter each conversation has, ``[B]`` int32; None where there are no stacks.
        use_kernels: Let :func:`botkit_models.kernels.low_rank` compute them.
    """

    stacks: Mapping[str, Stack] = field(default_factory=dict)
    ids: Array | None = None
    use_kernels: bool = False

    def of(
        self,
        projection: str,
        x: Array,
        positions: Array,
        *,
        norm: Callable[[Array], Array] | None = None,
        residual: Array | None = None,
    ) -> Array | None:
        """What is to be added to the projection of ``x [B, T, in]``, or None: nothing.

        That is ``residual [B, T, out]``, and what the adapters change. ``x`` is normalised first;
        rows of a negative position ``[B, T]`` are padding, of any result.
        """
        stack = self.stacks.get(projection)
        if stack is None or self.ids is None:
            return residual
        x = x if norm is None else norm(x)
        added = low_rank_change(x, positions, stack, self.ids, use_kernels=self.use_kernels)
        return added if residual is None else residual + added


NO_CHANGES = Changes()


def changes_of(adapters: Adapters | None, layer: int, *, use_kernels: bool) -> Changes:
    """What a batch's adapters change in a layer."""
    if adapters is None:
        return NO_CHANGES
    return Changes(adapters.stacks[layer], adapters.ids, use_kernels)


def low_rank_change(
    x: Array, positions: Array, stack: Stack, ids: Array, *, use_kernels: bool = False
) -> Array:
    """``x [B, T, in]`` float32 times the factors of each row's adapter: ``[B, T, out]``."""
    if use_kernels:
        return _by_kernel(x, *stack, ids, positions)
    added: Array = lax.platform_dependent(x, *stack, ids, cpu=_in_blocks, default=_gathered)
    return added


def _by_kernel(x: Array, a: Array, b: Array, ids: Array, positions: Array) -> Array:
    B, T, inside = x.shape
    rows = x.reshape(B * T, inside)  # N,in
    added = kernels.low_rank(rows, a, b, jnp.repeat(ids, T), positions.reshape(B * T))  # N,out
    return added.reshape(B, T, -1)


def _gathered(x: Array, a: Array, b: Array, ids: Array) -> Array:
    inner = jnp.einsum("bti,bri->btr", x, a[ids])  # B,T,r
    return jnp.einsum("btr,bro->bto", inner, b[ids])  # B,T,out


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
        return jnp.matmul(inner, lax.dynamic_index_in_dim(b, id, keepdims=False))  # R,out

    changed: Array = lax.map(one, (rows, jnp.repeat(ids, blocks)))  # N,R,out
    return changed.reshape(B, blocks * BLOCK_ROWS, -1)[:, :T]  # B,T,out
