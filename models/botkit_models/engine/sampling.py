"""Drawing the next token on the device.

Every draw depends on the request's seed and the token's position alone: one uniform number per
(seed, position) inverts the cumulative distribution. What else is in the batch cannot change it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

MAX_BIASES = 1024
MAX_TOP_LOGPROBS = 20
BANNED = -1e30
LARGEST = 1e29


@dataclass(frozen=True)
class SamplingParams:
    """How one reply is drawn; see :class:`botkit.completion.sampling.SamplingFields`.

    ``seed`` is an unsigned 64-bit number. ``top_logprobs`` is None when no log-probabilities are
    wanted, else how many alternatives per token.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    seed: int = 0
    top_logprobs: int | None = None


class SamplingBatch(NamedTuple):
    """The parameters of a batch as arrays; ``B`` rows.

    ``seed [B, 2]`` uint32 (high, low). ``bias_ids [B, M]`` int32 (``V`` where unused) and
    ``bias_values [B, M]`` float32. ``prompt_length [B]`` int32 splits ``history`` in prompt and
    reply. ``logprobs [B]`` bool. The rest ``[B]`` float32, ``top_k [B]`` int32.
    """

    temperature: Array
    top_p: Array
    top_k: Array
    min_p: Array
    frequency_penalty: Array
    presence_penalty: Array
    repetition_penalty: Array
    seed: Array
    bias_ids: Array
    bias_values: Array
    prompt_length: Array
    logprobs: Array


class Draw(NamedTuple):
    """Drawn tokens ``[B]`` int32 and, where asked for, log-probabilities.

    ``logprob [B]`` and ``top_logprobs [B, 20]`` float32 in nats, of the model's own distribution
    (before penalties, bias and temperature); ``top_ids [B, 20]`` int32. Zeros when not asked for.
    """

    token: Array
    logprob: Array
    top_ids: Array
    top_logprobs: Array


def draw(
    logits: Array, params: SamplingBatch, masks: Array, history: Array, position: Array
) -> Draw:
    """Draw one token per row.

    Args:
        logits: ``[B, V]`` float32.
        params: The rows' parameters.
        masks: Which tokens may be drawn, ``[B, ceil(V / 32)]`` int32: bit ``i`` of word ``w``
            stands for token ``32 * w + i``.
        history: Tokens so far ``[B, S]`` int32; entries from ``position`` on are not looked at.
        position: Where the drawn token will stand, ``[B]`` int32.
    """
    shaped = lax.cond(
        jnp.any(_shapes(params)),
        lambda: _shape(logits, params, history, position),
        lambda: logits,
    )
    shaped = lax.cond(jnp.any(masks != -1), lambda: _masked(shaped, masks), lambda: shaped)
    greedy = jnp.argmax(shaped, axis=-1).astype(jnp.int32)
    sampled = lax.cond(
        jnp.any(params.temperature > 0),
        lambda: _sample(shaped, params, position),
        lambda: greedy,
    )
    token = jnp.where(params.temperature > 0, sampled, greedy)
    logprob, top_ids, top_logprobs = lax.cond(
        jnp.any(params.logprobs),
        lambda: _logprobs(logits, token),
        lambda: _no_logprobs(logits),
    )
    return Draw(token, logprob, top_ids, top_logprobs)


def _masked(logits: Array, masks: Array) -> Array:
    """``logits [B, V]`` with what may not be drawn out of reach."""
    B, V = logits.shape
    bits = (masks[:, :, None] >> jnp.arange(32, dtype=jnp.int32)) & 1  # B,V/32,32
    allowed = bits.reshape(B, -1)[:, :V] == 1  # B,V
    return jnp.where(allowed, logits, BANNED)


def token_logprobs(logits: Array, tokens: Array) -> tuple[Array, Array, Array]:
    """Log-probability of ``tokens [N]`` under ``logits [N, V]``, and the 20 likeliest."""
    return _logprobs(logits, tokens)


def _shapes(params: SamplingBatch) -> Array:
    """Which rows change their logits before sampling, ``[B]`` bool."""
    return (
        (params.frequency_penalty != 0)
        | (params.presence_penalty != 0)
        | (params.repetition_penalty != 1)
        | jnp.any(params.bias_values != 0, axis=-1)
    )


def _shape(logits: Array, params: SamplingBatch, history: Array, position: Array) -> Array:
    """Apply repetition, frequency and presence penalties and biases to ``logits [B, V]``."""
    B, V = logits.shape
    rows = jnp.arange(B)[:, None]
    place = jnp.arange(history.shape[1], dtype=jnp.int32)[None]  # 1,S
    past = place < position[:, None]  # B,S
    reply = past & (place >= params.prompt_length[:, None])  # B,S
    empty = jnp.zeros((B, V), jnp.float32)
    seen = empty.at[rows, history].add(past.astype(jnp.float32)) > 0  # B,V
    counts = empty.at[rows, history].add(reply.astype(jnp.float32))  # B,V
    repetition = params.repetition_penalty[:, None]
    penalised = jnp.where(logits > 0, logits / repetition, logits * repetition)
    shaped = jnp.where(seen, penalised, logits)
    shaped = shaped - params.frequency_penalty[:, None] * counts
    shaped = shaped - params.presence_penalty[:, None] * (counts > 0)
    shaped = shaped.at[rows, params.bias_ids].add(params.bias_values, mode="drop")
    return jnp.clip(shaped, -LARGEST, LARGEST)  # a penalty of 1e-38 makes infinities


def _sample(logits: Array, params: SamplingBatch, position: Array) -> Array:
    """One token per row ``[B]`` int32 from ``logits [B, V]``, by inverting the distribution."""
    temperature = jnp.where(params.temperature > 0, params.temperature, 1.0)[:, None]
    scaled = logits - jnp.max(logits, axis=-1, keepdims=True)
    weights = jnp.exp(scaled / temperature)  # B,V; the likeliest has weight 1
    weights = lax.cond(
        jnp.any((params.top_k > 0) | (params.top_p < 1) | (params.min_p > 0)),
        lambda: _truncate(weights, params),
        lambda: weights,
    )
    return jax.vmap(_invert)(weights, uniform(params.seed, position))


def uniform(seed: Array, position: Array) -> Array:
    """The number in [0, 1) that belongs to each ``seed [B, 2]`` uint32 and ``position [B]``."""

    def one(words: Array, place: Array) -> Array:
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        return jax.random.uniform(jax.random.fold_in(key, place))

    return jax.vmap(one)(seed, position)


def _invert(weights: Array, u: Array) -> Array:
    """The first token whose cumulative weight exceeds ``u`` times the total; ``weights [V]``.

    In two levels, since a running sum over the whole vocabulary is slow on every backend.
    """
    V = weights.shape[0]
    width = 256
    blocks = jnp.pad(weights, (0, -V % width)).reshape(-1, width)  # V/256,256
    sums = jnp.sum(blocks, axis=-1)  # V/256
    ends = jnp.cumsum(sums)  # V/256
    target = u * ends[-1]
    block = _first_beyond(ends, target, sums)
    before = jnp.where(block > 0, ends[block - 1], 0.0)
    inside = blocks[block]  # 256
    offset = _first_beyond(jnp.cumsum(inside), target - before, inside)
    return (block * width + offset).astype(jnp.int32)


def _first_beyond(ends: Array, target: Array, weights: Array) -> Array:
    """The first place that has weight and whose running sum passes ``target``.

    Running sums are rounded: they need not ascend, and the target may lie past the last. Where
    none qualifies, the last place with weight is taken; one without weight never is.
    """
    places = jnp.arange(len(weights))
    last = jnp.max(jnp.where(weights > 0, places, 0))
    return jnp.min(jnp.where((ends > target) & (weights > 0), places, last))


def _truncate(weights: Array, params: SamplingBatch) -> Array:
    """Zero what top-k, then top-p (Holtzman et al. 2020), then min-p leave out; ``[B, V]``.

    Thresholds are found by bisection over the bits of a float instead of a sort. Tokens tied at a
    threshold are all kept.
    """
    k = jnp.where(params.top_k > 0, params.top_k, weights.shape[-1])[:, None]
    floor = _largest_bits(weights, lambda kept: jnp.sum(kept > 0, axis=-1, keepdims=True) >= k)
    weights = jnp.where(weights >= floor, weights, 0.0)
    mass = jnp.sum(weights, axis=-1, keepdims=True) * params.top_p[:, None]
    floor = _largest_bits(weights, lambda kept: jnp.sum(kept, axis=-1, keepdims=True) >= mass)
    floor = jnp.where(params.top_p[:, None] < 1, floor, 0.0)
    weights = jnp.where(weights >= floor, weights, 0.0)
    return jnp.where(weights >= params.min_p[:, None], weights, 0.0)


def _largest_bits(weights: Array, enough: Callable[[Array], Array]) -> Array:
    """The largest threshold ``[B, 1]`` at which what is kept of ``weights [B, V]`` is enough.

    Non-negative floats order like their bits, so 31 halvings find the exact value.
    """

    def halve(step: Array, threshold: Array) -> Array:
        candidate = threshold | (1 << (30 - step))
        value = lax.bitcast_convert_type(candidate, jnp.float32)
        kept = jnp.where(weights >= value, weights, 0.0)
        # The likeliest token has weight 1 and always stays: top_p = 0 asks for it alone.
        return jnp.where(enough(kept) & (value <= 1.0), candidate, threshold)

    start = jnp.zeros((weights.shape[0], 1), jnp.int32)
    bits = lax.fori_loop(0, 31, halve, start)
    return lax.bitcast_convert_type(bits, jnp.float32)


def _logprobs(logits: Array, token: Array) -> tuple[Array, Array, Array]:
    logprobs = jax.nn.log_softmax(logits, axis=-1)  # B,V
    chosen = jnp.take_along_axis(logprobs, token[:, None], axis=-1)[:, 0]  # B
    values, ids = lax.top_k(logprobs, min(MAX_TOP_LOGPROBS, logits.shape[-1]))  # B,20
    return chosen, ids.astype(jnp.int32), values


def _no_logprobs(logits: Array) -> tuple[Array, Array, Array]:
    B, top = logits.shape[0], min(MAX_TOP_LOGPROBS, logits.shape[-1])
    return jnp.zeros(B), jnp.zeros((B, top), jnp.int32), jnp.zeros((B, top))
