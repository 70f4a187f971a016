"""Keys and values of a fixed number of conversations in one layer, each in a slot of its own.

Layout ``[B, K, S, D]``: ``B`` slots of ``S`` positions. On an accelerator a whole slot is one
stretch of memory that a step reads once, front to back, and slots and heads divide over a mesh of
devices. The CPU engine keeps pages instead (:mod:`botkit_models.gpt.cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import DTypeLike

from botkit_models.config import DecoderConfig
from botkit_models.gpt.attention import MASKED, AttentionSpec
from botkit_models.gpt.rotary import Rotation, rotate

LANES = 128
"""Numbers in a row of a TPU's registers."""


class SlotCache(NamedTuple):
    """``keys`` and ``values``, each ``[B, K, S, D]``; implements :class:`gpt.cache.Cache`.

    With ``slots [R]`` int32, ``R`` rows of new tokens belong to ``R`` of the slots: row ``r`` to
    slot ``slots[r]`` of the ``r``-th group of ``B / R`` slots. A row so stays within the slots of
    the device that holds them. Without, there is a row for each slot.

    A single token of a negative position is not stored. Several tokens of a row are at consecutive
    positions of which the last, padding included, is less than ``S``; where padding follows them,
    what is stored there is overwritten before anything attends to it.
    """

    keys: Array
    values: Array
    slots: Array | None = None

    def attend(
        self,
        q: Array,
        k: Array,
        v: Array,
        positions: Array,
        angles: Rotation | None,
        spec: AttentionSpec,
    ) -> tuple[Array, SlotCache]:
        """See :meth:`botkit_models.gpt.cache.Cache.attend`; products in the cache's dtype."""
        if angles is not None:
            q, k = rotate(q, *angles), rotate(k, *angles)
        written = self._written(k, v, positions)
        return _attend(q, *written._rows(len(q)), positions, spec), written

    def _written(self, k: Array, v: Array, positions: Array) -> SlotCache:
        """With the new keys and values ``[R, T, K, D]``."""
        S = self.keys.shape[2]
        columns = jnp.where(positions < 0, S, positions)  # R,T
        slots = self._slots(len(k))  # R

        def put(cache: Array, new: Array) -> Array:
            groups = _groups(cache, len(new))  # R,B/R,K,S,D
            new = new.astype(cache.dtype)
            return jax.vmap(_put)(groups, slots, columns, new).reshape(cache.shape)

        return self._replace(keys=put(self.keys, k), values=put(self.values, v))

    def _rows(self, rows: int) -> tuple[Array, Array]:
        """The keys and values of the rows' slots, ``[R, K, S, D]`` each."""
        if rows == len(self.keys):
            return self.keys, self.values
        take: Callable[[Array, Array], Array] = jax.vmap(lambda group, slot: group[slot])
        slots = self._slots(rows)
        return take(_groups(self.keys, rows), slots), take(_groups(self.values, rows), slots)

    def _slots(self, rows: int) -> Array:
        return jnp.zeros(rows, jnp.int32) if self.slots is None else self.slots


def _groups(cache: Array, rows: int) -> Array:
    """``[B, K, S, D]`` as ``[R, B/R, K, S, D]``."""
    return cache.reshape(rows, -1, *cache.shape[1:])


def _put(group: Array, slot: Array, columns: Array, new: Array) -> Array:
    """``new [T, K, D]`` at ``columns [T]`` of one slot of ``group [B/R, K, S, D]``."""
    if len(new) > 1:
        block = new.transpose(1, 0, 2)[None]  # 1,K,T,D
        return lax.dynamic_update_slice(group, block, (slot, 0, columns[0], 0))
    if new.shape[2] % LANES:
        # A TPU lays positions in its lanes when heads do not fill them. A token is then scattered
        # in memory, and to store it alone the compiler turns the whole cache around, twice.
        written: Array = lax.platform_dependent(
            group, slot, columns, new, tpu=put_selected, default=put_scattered
        )
        return written
    return put_scattered(group, slot, columns, new)


def put_scattered(group: Array, slot: Array, columns: Array, new: Array) -> Array:
    """One token ``new [1, K, D]`` stored alone; at column ``S`` of ``columns [1]``, nowhere."""
    return group.at[slot, :, columns].set(new, mode="drop", unique_indices=True)


def put_selected(group: Array, slot: Array, columns: Array, new: Array) -> Array:
    """The same by a pass over the whole group."""
    slots, S = group.shape[0], group.shape[2]
    here = (jnp.arange(slots) == slot)[:, None] & (jnp.arange(S) == columns)  # B/R,S
    return jnp.where(here[:, None, :, None], new.transpose(1, 0, 2), group)


def _attend(q: Array, keys: Array, values: Array, positions: Array, spec: AttentionSpec) -> Array:
    """Causal attention of ``q [R, T, H, D]`` over ``[R, K, S, D]``: ``[R, T, H*D]``."""
    R, T, H, D = q.shape
    K, S = keys.shape[1:3]
    dtype, real = keys.dtype, jnp.promote_types(keys.dtype, jnp.float32)
    rows = (q * spec.scale).astype(dtype).reshape(R, T, K, H // K, D)  # R,T,K,G,D
    scores = jnp.einsum("rtkgd,rksd->rkgts", rows, keys, preferred_element_type=real)
    if spec.softcap is not None:
        scores = spec.softcap * jnp.tanh(scores / spec.softcap)
    seen = _visible(positions, S, spec.window)[:, None, None]  # R,1,1,T,S
    scores = jnp.where(seen, scores, MASKED)  # R,K,G,T,S
    weights = jnp.exp(scores - scores.max(axis=-1, keepdims=True))  # R,K,G,T,S
    total = weights.sum(axis=-1)  # R,K,G,T
    mixed = jnp.einsum(
        "rkgts,rksd->rtkgd", weights.astype(dtype), values, preferred_element_type=real
    )  # R,T,K,G,D
    mixed = mixed / total.transpose(0, 3, 1, 2)[..., None]  # R,T,K,G,D
    return mixed.reshape(R, T, H * D)


def _visible(positions: Array, length: int, window: int | None) -> Array:
    """Which positions each query sees, ``[R, T, S]`` bool."""
    query = positions[:, :, None]  # R,T,1
    key = jnp.arange(length, dtype=jnp.int32)  # S
    seen = key <= query
    return seen if window is None else seen & (key > query - window)


def empty_slots(
    config: DecoderConfig, slots: int, length: int, dtype: DTypeLike
) -> list[SlotCache]:
    """Zeroed caches of every layer."""
    shape = (slots, config.num_kv_heads, length, config.head_dim)
    return [
        SlotCache(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype))
        for _ in range(config.num_layers)
    ]
