"""Keys and values of one conversation in one layer, in blocks of positions.

Layout ``[N*K, C, D]``: ``N`` blocks of ``C`` = :data:`BLOCK` positions, each with ``K`` heads. It
is the shape XLA's CPU matrix product takes as it is: with any other (``[B, K, S, D]``, say) the
update is fused into every reader through a reshape, and each step copies the whole cache twice.
Growing a conversation appends blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from botkit_models.config import DecoderConfig

BLOCK = 128


class LayerCache(NamedTuple):
    """``keys`` and ``values``, each ``[N*K, C, D]``: row ``n*K + k`` is block ``n``, head ``k``."""

    keys: Array
    values: Array

    def write(self, k: Array, v: Array, start: Array) -> LayerCache:
        """Store ``k, v [T, K, D]`` at positions ``start`` (int32 scalar) and on.

        Either ``T`` divides :data:`BLOCK` or the reverse, and ``start`` is a multiple of the
        smaller, so that no write straddles a block it does not fill.
        """
        return LayerCache(_put(self.keys, k, start), _put(self.values, v, start))


def _put(cache: Array, new: Array, start: Array) -> Array:
    T, K, D = new.shape
    C = cache.shape[1]
    blocks, rows = max(T // C, 1), min(T, C)
    update = new.astype(cache.dtype).reshape(blocks, rows, K, D)  # N',C',K,D
    update = update.transpose(0, 2, 1, 3).reshape(blocks * K, rows, D)  # N'*K,C',D
    return lax.dynamic_update_slice(cache, update, ((start // C) * K, start % C, 0))


def empty_caches(config: DecoderConfig, length: int) -> list[LayerCache]:
    """Zeroed float32 caches, one per layer, for one conversation of ``length`` positions.

    ``length`` is a multiple of :data:`BLOCK`.
    """
    shape = (length // BLOCK * config.num_kv_heads, BLOCK, config.head_dim)
    return [
        LayerCache(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))
        for _ in range(config.num_layers)
    ]


def cache_bytes(config: DecoderConfig, length: int) -> int:
    """Bytes that :func:`empty_caches` takes."""
    row = 2 * config.num_kv_heads * config.head_dim * 4
    return length * config.num_layers * row
