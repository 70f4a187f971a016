"""Keys and values of many conversations in one layer, in pages.

A pool of ``P`` blocks of ``C`` = :data:`BLOCK` positions; a table says which blocks hold a
conversation's positions, in order. So conversations grow without moving, and what two of them
have in common is stored once. Source: Kwon et al. 2023, PagedAttention (arXiv:2309.06180).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Self

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from botkit_models import kernels
from botkit_models.config import DecoderConfig
from botkit_models.gpt.attention import AttentionSpec, attend_gathered
from botkit_models.gpt.block import BLOCK
from botkit_models.gpt.rotary import Rotation, rotate

Zeros = Callable[[tuple[int, ...], DTypeLike], Array]


class Cache(Protocol):
    """Where a layer keeps keys and values, and how it attends over them."""

    def attend(
        self,
        q: Array,
        k: Array,
        v: Array,
        positions: Array,
        angles: Rotation | None,
        spec: AttentionSpec,
    ) -> tuple[Array, Self]:
        """Store new keys and values, then attend causally over all there are.

        Args:
            q: Queries ``[B, T, H, D]`` float32, neither rotated nor scaled.
            k, v: ``[B, T, K, D]`` float32, not rotated.
            positions: ``[B, T]`` int32; negative for padding, whose result is not looked at.
            angles: Cosine and sine ``[B, T, 1, D/2]``, or None where positions are learned.
            spec: How.

        Returns:
            ``[B, T, H*D]`` float32, and the cache with the new positions.
        """
        ...


class Pool(NamedTuple):
    """``keys`` and ``values`` of one layer, each ``[P, K, C, D]``."""

    keys: Array
    values: Array


class PagedCache(NamedTuple):
    """A layer's pool, and ``tables [B, M]`` int32: the block of each ``C`` positions of a row."""

    keys: Array
    values: Array
    tables: Array

    def attend(
        self,
        q: Array,
        k: Array,
        v: Array,
        positions: Array,
        angles: Rotation | None,
        spec: AttentionSpec,
    ) -> tuple[Array, PagedCache]:
        """In plain XLA; see :meth:`Cache.attend`."""
        if angles is not None:
            q, k = rotate(q, *angles), rotate(k, *angles)
        cache = self._write(k, v, positions)
        keys = cache.keys[cache.tables]  # B,M,K,C,D
        values = cache.values[cache.tables]  # B,M,K,C,D
        mixed = [
            attend_gathered(q[row] * spec.scale, keys[row], values[row], positions[row], spec)
            for row in range(q.shape[0])
        ]
        return jnp.stack(mixed), cache

    def _write(self, k: Array, v: Array, positions: Array) -> PagedCache:
        place = jnp.maximum(positions, 0)  # B,T
        blocks = jnp.take_along_axis(self.tables, place // BLOCK, axis=1)  # B,T
        nowhere = self.keys.shape[0]
        blocks = jnp.where(positions < 0, nowhere, blocks).reshape(-1)  # BT
        inside = (place % BLOCK).reshape(-1)  # BT

        def put(pool: Array, new: Array) -> Array:
            # Finite, whatever comes: a block that others look at with weight 0 must count for 0.
            rows = jnp.nan_to_num(new).reshape(-1, *new.shape[2:]).astype(pool.dtype)  # BT,K,D
            return pool.at[blocks, :, inside].set(rows, mode="drop")

        return PagedCache(put(self.keys, k), put(self.values, v), self.tables)


class KernelCache(NamedTuple):
    """As :class:`PagedCache`, attended over by a kernel; ``slots [B*T]`` int32 are table rows."""

    keys: Array
    values: Array
    tables: Array
    slots: Array

    def attend(
        self,
        q: Array,
        k: Array,
        v: Array,
        positions: Array,
        angles: Rotation | None,
        spec: AttentionSpec,
    ) -> tuple[Array, KernelCache]:
        """By :func:`botkit_models.kernels.attend`; see :meth:`Cache.attend`."""
        B, T, H, D = q.shape
        cos, sin = (None, None) if angles is None else (a.reshape(B * T, D // 2) for a in angles)
        mixed, keys, values = kernels.attend(
            q.reshape(B * T, H, D),
            k.reshape(B * T, -1, D),
            v.reshape(B * T, -1, D),
            cos,
            sin,
            positions.reshape(B * T),
            self.slots,
            self.tables,
            self.keys,
            self.values,
            scale=spec.scale,
            window=spec.window,
            softcap=spec.softcap,
        )
        return mixed.reshape(B, T, H * D), KernelCache(keys, values, self.tables, self.slots)


def paged(
    pools: Sequence[Pool], tables: Array, slots: Array | None = None
) -> list[PagedCache | KernelCache]:
    """Caches of every layer, attended over in plain XLA, or with ``slots`` by a kernel.

    Args:
        pools: One per layer.
        tables: The blocks of each row ``[B, M]`` int32.
        slots: Which row of ``tables`` each token has, ``[B*T]`` int32.
    """
    if slots is None:
        return [PagedCache(*pool, tables) for pool in pools]
    return [KernelCache(*pool, tables, slots) for pool in pools]


def pools_of(caches: Sequence[PagedCache | KernelCache]) -> list[Pool]:
    """The pools of every layer."""
    return [Pool(cache.keys, cache.values) for cache in caches]


def empty_pools(
    config: DecoderConfig, blocks: int, dtype: DTypeLike, zeros: Zeros = jnp.zeros
) -> list[Pool]:
    """Zeroed pools of ``blocks``, one per layer. Kernels take float16 alone.

    With :func:`botkit_models.kernels.reserve` for ``zeros`` memory is taken as they are written to.
    """
    shape = (blocks, config.num_kv_heads, BLOCK, config.head_dim)
    return [Pool(zeros(shape, dtype), zeros(shape, dtype)) for _ in range(config.num_layers)]


def empty_caches(config: DecoderConfig, rows: int, length: int) -> list[PagedCache]:
    """Zeroed float32 caches of every layer, for ``rows`` conversations of ``length`` positions."""
    width = -(-length // BLOCK)
    tables = jnp.arange(rows * width, dtype=jnp.int32).reshape(rows, width)
    return [PagedCache(*pool, tables) for pool in empty_pools(config, rows * width, jnp.float32)]


def block_bytes(config: DecoderConfig, dtype: DTypeLike) -> int:
    """Bytes that one block takes in all layers together."""
    row: int = 2 * config.num_kv_heads * config.head_dim * np.dtype(dtype).itemsize
    return BLOCK * config.num_layers * row
