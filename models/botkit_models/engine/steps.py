"""The functions that XLA compiles: read a prompt chunk, write tokens, score text."""

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
from botkit_models.gpt.cache import Pool, paged, pools_of
from botkit_models.gpt.decoder import Decoder
from botkit_models.gpt.lora import Adapters


class Rows(NamedTuple):
    """What decoding knows of each row; ``B`` rows.

    ``token [B]`` int32 is the last token so far, standing at ``position [B]`` int32. ``quota [B]``
    int32 is how many tokens the row may write in this dispatch; 0 for a row that only pads the
    batch. ``history [B, S]`` int32 holds the tokens up to ``position``. ``slots [B]`` int32 says
    which row of ``tables [B, M]`` int32 has its blocks: the rows of one text that are checked
    together stand side by side and have the table of the first.
    """

    token: Array
    position: Array
    quota: Array
    history: Array
    slots: Array
    tables: Array


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
        use_kernels: Whether attention is a kernel's.
    """

    def __init__(
        self, decoder: Decoder, eos_ids: Sequence[int], decode_steps: int, use_kernels: bool
    ) -> None:
        self._graph, state = nnx.split(decoder)
        self.weights: list[Array]
        self.weights, self._tree = jax.tree.flatten(state)
        self.eos_ids = tuple(eos_ids)
        self._decode_steps, self._use_kernels = decode_steps, use_kernels

    def read(
        self,
        weights: list[Array],
        pools: list[Pool],
        tokens: Array,
        positions: Array,
        table: Array,
        adapters: Adapters | None = None,
    ) -> tuple[list[Pool], Array]:
        """Read ``tokens [T]`` int32 of one text at ``positions [T]`` int32, -1 for padding.

        ``table [M]`` int32 says where its blocks are; ``adapters`` have one id. Returns the pools
        and the hidden states ``[T, E]`` float32.
        """
        decoder = self._decoder(weights)
        slots = jnp.zeros_like(tokens) if self._use_kernels else None
        caches = paged(pools, table[None], slots)
        hidden, written = decoder.hidden(tokens[None], positions[None], caches, adapters)
        return pools_of(written), hidden[0]

    def decode(
        self,
        weights: list[Array],
        pools: list[Pool],
        rows: Rows,
        params: SamplingBatch,
        masks: Array,
        steps: Array,
        adapters: Adapters | None = None,
    ) -> tuple[list[Pool], Written]:
        """Write up to ``steps`` (int32 scalar) tokens for every row that has a quota.

        ``masks [B, ceil(V / 32)]`` int32, packed, say which tokens a row may draw; ``adapters``
        have an id for every row.
        """
        decoder = self._decoder(weights)
        index = jnp.arange(rows.token.shape[0])

        def more(state: tuple[Array, Rows, list[Pool], Written]) -> Array:
            step, rows, _, _ = state
            return (step < steps) & jnp.any(rows.quota > 0)

        def body(state: tuple[Array, Rows, list[Pool], Written]) -> Any:
            step, rows, pools, written = state
            live = rows.quota > 0
            place = jnp.where(live, rows.position, -1)  # B
            caches = self._caches(pools, rows)
            hidden, caches = decoder.hidden(rows.token[:, None], place[:, None], caches, adapters)
            following = rows.position + 1
            logits = decoder.logits(hidden[:, 0], place)
            drawn = draw(logits, params, masks, rows.history, following)
            written = _record(written, step, drawn, live)
            ended = jnp.isin(drawn.token, jnp.array(self.eos_ids, jnp.int32))
            rows = rows._replace(
                token=jnp.where(live, drawn.token, rows.token),
                position=jnp.where(live, following, rows.position),
                quota=jnp.where(live & ~ended, rows.quota - 1, 0),
                history=rows.history.at[index, following].set(drawn.token, mode="drop"),
            )
            return step + 1, rows, pools_of(caches), written

        written = self._nothing(rows.token.shape[0])
        state = (jnp.int32(0), rows, pools, written)
        _, _, pools, written = lax.while_loop(more, body, state)
        return pools, written

    def score(self, weights: list[Array], hidden: Array, targets: Array) -> tuple[Array, ...]:
        """Log-probability of ``targets [T]`` int32 after ``hidden [T, E]``, and the likeliest.

        Returns ``[T]`` float32 nats, ``[T, 20]`` int32 and ``[T, 20]`` float32.
        """
        return token_logprobs(self._decoder(weights).logits(hidden), targets)

    def _caches(self, pools: list[Pool], rows: Rows) -> Any:
        if self._use_kernels:
            return paged(pools, rows.tables, rows.slots)
        # Rows of one text find each other's tokens: all write before any attends.
        return paged(pools, rows.tables[rows.slots])

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
