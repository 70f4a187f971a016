"""Attention over a key/value cache, in blocks whose partial sums do not depend on their number.

Every block of the cache is multiplied by itself and the partial results are added block after
block, so that more (empty) blocks at the end add exact zeros: a row's result is the same bits
however long the cache is (:mod:`botkit_models.gpt.fold`).

Grouped queries: Ainslie et al. 2023 (arXiv:2305.13245).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
from jax import Array, lax

from botkit_models.config import DecoderConfig
from botkit_models.gpt.fold import fold, fold_leading

MASKED = -1e30
WIDE = 128


@dataclass(frozen=True)
class AttentionSpec:
    """How a layer attends.

    Fields:
        scale: Queries are multiplied by this.
        window: How many positions back a query sees (itself included), or None.
        softcap: Scores become ``cap * tanh(score / cap)``, or None.
    """

    scale: float
    window: int | None = None
    softcap: float | None = None

    @classmethod
    def of(cls, config: DecoderConfig, layer: int) -> AttentionSpec:
        """That of one of a decoder's layers."""
        return cls(
            scale=config.attention_scale,
            window=config.sliding_window if layer in config.sliding_layers else None,
            softcap=config.attn_softcap,
        )


def attend_gathered(
    q: Array, keys: Array, values: Array, positions: Array, spec: AttentionSpec
) -> Array:
    """Causal attention of one row's new tokens over its blocks, which already hold them.

    Args:
        q: Scaled queries ``[T, H, D]`` float32.
        keys, values: Blocks ``[M, K, C, D]``, in order of position.
        positions: Of the queries, ``[T]`` int32; a query sees positions up to its own.
        spec: Window and softcap.

    Returns:
        ``[T, H*D]`` float32.
    """
    T, H, D = q.shape
    keys, values = _widened(keys), _widened(values)  # N,K,C,D
    N, K, C, _ = keys.shape
    G = H // K
    # The queries of a group are the rows of one matrix per key/value head, repeated per block.
    rows = q.reshape(T, K, G, D).transpose(1, 2, 0, 3).reshape(1, K, G * T, D)  # 1,K,GT,D
    rows = jnp.broadcast_to(rows, (N, K, G * T, D)).reshape(N * K, G * T, D)  # NK,GT,D
    batched = (((2,), (2,)), ((0,), (0,)))
    scores = lax.dot_general(rows, keys.reshape(N * K, C, D), batched)  # NK,GT,C
    if spec.softcap is not None:
        scores = spec.softcap * jnp.tanh(scores / spec.softcap)
    scores = scores.reshape(N, K, G * T, C)
    scores = jnp.where(_visible(positions, N, G, C, spec.window), scores, MASKED)
    peak = fold_leading(fold(scores, jnp.maximum), jnp.maximum)  # K,GT,1
    weights = jnp.exp(scores - peak)  # N,K,GT,C
    total = fold_leading(fold(weights, jnp.add), jnp.add)  # K,GT,1
    batched = (((2,), (1,)), ((0,), (0,)))
    mixed = lax.dot_general(
        weights.reshape(N * K, G * T, C), values.reshape(N * K, C, D), batched
    )  # NK,GT,D
    out = fold_leading(mixed.reshape(N, K, G * T, D), jnp.add) / total  # K,GT,D
    return out.reshape(K, G, T, D).transpose(2, 0, 1, 3).reshape(T, H * D)


def _widened(blocks: Array) -> Array:
    """``[M, K, C, D]`` as fewer, longer blocks ``[N, K, C', D]`` float32."""
    M, K, C, D = blocks.shape
    many = max(min(WIDE // C, M), 1)
    blocks = jnp.pad(blocks, ((0, -M % many), (0, 0), (0, 0), (0, 0)))
    blocks = blocks.reshape(-1, many, K, C, D).transpose(0, 2, 1, 3, 4)  # N,K,many,C,D
    return blocks.reshape(-1, K, many * C, D).astype(jnp.float32)


def _visible(positions: Array, N: int, G: int, C: int, window: int | None) -> Array:
    """Which cache positions each query sees, ``[N, 1, G*T, C]`` bool."""
    query = jnp.tile(positions, G).reshape(1, 1, -1, 1)
    key = jnp.arange(N * C, dtype=jnp.int32).reshape(N, 1, 1, C)
    seen = key <= query
    return seen if window is None else seen & (key > query - window)
