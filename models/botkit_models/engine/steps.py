"""The three functions that XLA compiles: read a prompt chunk, write tokens, score text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from botkit_models.engine.sampling import (
    MAX_TOP_LOGPROBS,
    Draw,
    SamplingBatch,
    draw,
    token_logprobs,
)
from botkit_models.gpt.cache import LayerCache
from botkit_models.gpt.decoder import Decoder

Caches = list[list[LayerCache]]  # per conversation, per layer


class Rows(NamedTuple):
    """What decoding knows of each row; ``B`` rows.

    ``token [B]`` int32 is the last token so far, standing at ``position [B]`` int32.
    ``budget [B]`` int32 is how many more tokens the row may write; 0 for a row that only pads the
    batch. ``history [B, S]`` int32 holds the tokens up to ``position``.
    """

    token: Array
    position: Array
    budget: Array
    history: Array


class Written(NamedTuple):
    """Tokens a decode dispatch wrote: ``[N, B]`` each, ``[N, B, 20]`` for the alternatives.

    ``token`` is -1 where a row had already ended.
    """

    token: Array
    logprob: Array
    top_ids: Array
    top_logprobs: Array


class Steps:
    """The decoder as pure functions of its weights.

    Args:
        decoder: The model; its weights become the first argument of every function.
        eos_ids: Token ids that end a reply.
        decode_steps: The most tokens per row and dispatch.
    """

    def __init__(self, decoder: Decoder, eos_ids: Sequence[int], decode_steps: int) -> None:
        self._graph, state = nnx.split(decoder)
        self.weights: list[Array]
        self.weights, self._tree = jax.tree.flatten(state)
        self.eos_ids = tuple(eos_ids)
        self._decode_steps = decode_steps

    def prefill(
        self, weights: list[Array], caches: list[LayerCache], tokens: Array, start: Array
    ) -> tuple[list[LayerCache], Array]:
        """Read ``tokens [T]`` int32 of one conversation, the first at position ``start``.

        Returns its caches and the hidden states ``[T, E]`` float32.
        """
        decoder = self._decoder(weights)
        hidden, written = decoder.hidden(tokens[None], start[None], [caches])
        return written[0], hidden[0]

    def decode(
        self,
        weights: list[Array],
        caches: Caches,
        rows: Rows,
        params: SamplingBatch,
        steps: Array,
    ) -> tuple[Caches, Written]:
        """Write up to ``steps`` (int32 scalar) tokens for every row that has budget."""
        decoder = self._decoder(weights)
        index = jnp.arange(rows.token.shape[0])

        def more(state: tuple[Array, Rows, Caches, Written]) -> Array:
            step, rows, _, _ = state
            return (step < steps) & jnp.any(rows.budget > 0)

        def body(state: tuple[Array, Rows, Caches, Written]) -> Any:
            step, rows, caches, written = state
            hidden, caches = decoder.hidden(rows.token[:, None], rows.position, caches)
            following = rows.position + 1
            drawn = draw(decoder.logits(hidden[:, 0]), params, rows.history, following)
            live = rows.budget > 0
            written = _record(written, step, drawn, live)
            ended = jnp.isin(drawn.token, jnp.array(self.eos_ids, jnp.int32))
            rows = Rows(
                token=jnp.where(live, drawn.token, rows.token),
                position=jnp.where(live, following, rows.position),
                budget=jnp.where(live & ~ended, rows.budget - 1, 0),
                history=rows.history.at[index, following].set(drawn.token, mode="drop"),
            )
            return step + 1, rows, caches, written

        written = self._nothing(rows.token.shape[0])
        state = (jnp.int32(0), rows, caches, written)
        _, _, caches, written = lax.while_loop(more, body, state)
        return caches, written

    def score(self, weights: list[Array], hidden: Array, targets: Array) -> tuple[Array, ...]:
        """Log-probability of ``targets [T]`` int32 after ``hidden [T, E]``, and the likeliest.

        Returns ``[T]`` float32 nats, ``[T, 20]`` int32 and ``[T, 20]`` float32.
        """
        return token_logprobs(self._decoder(weights).logits(hidden), targets)

    def grow(self, caches: list[LayerCache]) -> list[LayerCache]:
        """The same conversation with room for twice as many positions."""

        def double(blocks: Array) -> Array:
            return jnp.pad(blocks, ((0, len(blocks)), (0, 0), (0, 0)))

        return [LayerCache(double(cache.keys), double(cache.values)) for cache in caches]

    def _decoder(self, weights: list[Array]) -> Decoder:
        return nnx.merge(self._graph, jax.tree.unflatten(self._tree, weights))

    def _nothing(self, rows: int) -> Written:
        shape = (self._decode_steps, rows)
        top = (*shape, MAX_TOP_LOGPROBS)
        return Written(
            token=jnp.full(shape, -1, jnp.int32),
            logprob=jnp.zeros(shape),
            top_ids=jnp.zeros(top, jnp.int32),
            top_logprobs=jnp.zeros(top),
        )


def _record(written: Written, step: Array, drawn: Draw, live: Array) -> Written:
    return Written(
        token=written.token.at[step].set(jnp.where(live, drawn.token, -1)),
        logprob=written.logprob.at[step].set(drawn.logprob),
        top_ids=written.top_ids.at[step].set(drawn.top_ids),
        top_logprobs=written.top_logprobs.at[step].set(drawn.top_logprobs),
    )
