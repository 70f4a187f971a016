"""Attention over a key/value cache, in blocks whose partial sums do not depend on their number.

Every block of the cache is multiplied by itself and the partial results are added block after
block, so that more (empty) blocks at the end add exact zeros: a row's result is the same bits
however long the cache is (:mod:`botkit_models.gpt.fold`).

Grouped queries: Ainslie et al. 2023 (arXiv:2305.13245).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax

from botkit_models.gpt.cache import LayerCache
from botkit_models.gpt.fold import fold, fold_leading

MASKED = -1e30


def attend(
    q: Array,
    cache: LayerCache,
    start: Array,
    *,
    kv_heads: int,
    window: int | None,
    softcap: float | None,
) -> Array:
    """Causal attention of new tokens over the cache that already holds them.

    Args:
        q: Scaled queries ``[T, H, D]`` float32.
        cache: Blocks ``[N*K, C, D]``.
        start: Position of the first query, int32 scalar; a query sees positions up to its own.
        kv_heads: ``K``.
        window: How many positions back a query sees (itself included), or None.
        softcap: Scores become ``cap * tanh(score / cap)``, or None.

    Returns:
        ``[T, H*D]`` float32.
    """
    T, H, D = q.shape
    NK, C, _ = cache.keys.shape
    K = kv_heads
    G, N = H // K, NK // K
    # The queries of a group are the rows of one matrix per key/value head, repeated per block.
    rows = q.reshape(T, K, G, D).transpose(1, 2, 0, 3).reshape(1, K, G * T, D)  # 1,K,GT,D
    rows = jnp.broadcast_to(rows, (N, K, G * T, D)).reshape(NK, G * T, D)  # NK,GT,D
    batched = (((2,), (2,)), ((0,), (0,)))
    scores = lax.dot_general(rows, cache.keys.astype(jnp.float32), batched)  # NK,GT,C
    if softcap is not None:
        scores = softcap * jnp.tanh(scores / softcap)
    scores = scores.reshape(N, K, G * T, C)
    scores = jnp.where(_visible(start, T, N, G, C, window), scores, MASKED)
    peak = fold_leading(fold(scores, jnp.maximum), jnp.maximum)  # K,GT,1
    weights = jnp.exp(scores - peak)  # N,K,GT,C
    total = fold_leading(fold(weights, jnp.add), jnp.add)  # K,GT,1
    batched = (((2,), (1,)), ((0,), (0,)))
    mixed = lax.dot_general(
        weights.reshape(NK, G * T, C), cache.values.astype(jnp.float32), batched
    )  # NK,GT,D
    out = fold_leading(mixed.reshape(N, K, G * T, D), jnp.add) / total  # K,GT,D
    return out.reshape(K, G, T, D).transpose(2, 0, 1, 3).reshape(T, H * D)


def _visible(start: Array, T: int, N: int, G: int, C: int, window: int | None) -> Array:
    """Which cache positions each query sees, ``[N, 1, G*T, C]`` bool."""
    query = start + jnp.tile(jnp.arange(T, dtype=jnp.int32), G).reshape(1, 1, G * T, 1)
    key = jnp.arange(N * C, dtype=jnp.int32).reshape(N, 1, 1, C)
    seen = key <= query
    return seen if window is None else seen & (key > query - window)
