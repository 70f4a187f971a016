"""The two programs that serve a model from a mesh: write a token in every slot, read prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from botkit_models.config import DecoderConfig
from botkit_models.gpt.slot_cache import SlotCache
from botkit_models.mesh.axes import CACHE
from botkit_models.mesh.decoder import MeshDecoder
from botkit_models.mesh.layout import Layout

Weights = Mapping[str, Array]
Outcome = tuple[list[SlotCache], Array]


class MeshSteps:
    """A decoder on a mesh, as programs of its weights. Caches are donated: updated in place.

    Args:
        config: The model's shape.
        layout: Where things lie.
        dtype: Of activations.
    """

    def __init__(self, config: DecoderConfig, layout: Layout, dtype: DTypeLike) -> None:
        self.config, self.layout, self.dtype = config, layout, dtype
        cache = SlotCache(layout.sharding(*CACHE), layout.sharding(*CACHE))  # type: ignore[arg-type]
        out = ([cache] * config.num_layers, layout.sharding("rows", "vocab"))
        self.decode: Any = jax.jit(self._decode, donate_argnums=1, out_shardings=out)
        self.prefill: Any = jax.jit(self._prefill, donate_argnums=1, out_shardings=out)

    def _decode(
        self, weights: Weights, caches: list[SlotCache], tokens: Array, positions: Array
    ) -> Outcome:
        """One token ``[B]`` int32 of every slot, at its position ``[B]`` int32 (-1: none).

        Returns:
            The caches with them, and logits ``[B, V]`` float32 for what follows.
        """
        decoder = MeshDecoder(self.config, weights, self.layout, self.dtype)
        hidden, caches = decoder.hidden(tokens[:, None], positions[:, None], caches)
        return caches, decoder.logits(hidden[:, 0], positions)

    def _prefill(
        self,
        weights: Weights,
        caches: list[SlotCache],
        tokens: Array,
        positions: Array,
        slots: Array,
    ) -> Outcome:
        """Tokens ``[R, T]`` int32 of ``R`` prompts, at ``positions [R, T]`` (-1: padding).

        ``R`` is the layout's ``groups`` or a multiple; row ``r`` is for slot ``slots[r]`` of the
        ``r``-th of ``R`` groups of slots.

        Returns:
            The caches with them, and logits ``[R, V]`` float32 after each row's last token.
        """
        decoder = MeshDecoder(self.config, weights, self.layout, self.dtype)
        chosen = [cache._replace(slots=slots) for cache in caches]
        hidden, written = decoder.hidden(tokens, positions, chosen)  # R,T,E
        rows = jnp.arange(len(tokens))
        last = jnp.argmax(positions, axis=1)  # R
        logits = decoder.logits(hidden[rows, last], positions[rows, last])
        return [cache._replace(slots=None) for cache in written], logits
