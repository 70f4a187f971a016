"""The laws of drawing a token, against plain numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from botkit_models.engine.sampling import (
    MAX_BIASES,
    SamplingBatch,
    _invert,
    _shape,
    _truncate,
    draw,
    token_logprobs,
    uniform,
)

V = 700  # no multiple of the 256 wide blocks
S = 32

jit_draw = jax.jit(draw)
jit_truncate = jax.jit(_truncate)
jit_shape = jax.jit(_shape)
jit_invert = jax.jit(_invert)
jit_uniform = jax.jit(uniform)

# No subnormal numbers: XLA:CPU takes them for zero.
_logits = st.floats(-30, 30, width=32, allow_subnormal=False)
logit_rows = hnp.arrays(np.float32, (3, V), elements=_logits)
seeds = st.integers(0, 2**64 - 1)


def words(*seeds: int):
    return np.array([(seed >> 32, seed & 0xFFFFFFFF) for seed in seeds], np.uint32)


def params(rows: int, **given) -> SamplingBatch:
    """Neutral parameters, ``given`` ones replaced; a number counts for every row."""
    neutral = {
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 0,
        "min_p": 0.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "repetition_penalty": 1.0,
        "prompt_length": 0,
        "logprobs": False,
    }
    whole = {"top_k": np.int32, "prompt_length": np.int32, "logprobs": np.bool_}
    fields = {
        name: np.broadcast_to(np.asarray(given.pop(name, value), whole.get(name, np.float32)), rows)
        for name, value in neutral.items()
    }
    fields["seed"] = given.pop("seed", np.zeros((rows, 2), np.uint32))
    fields["bias_ids"] = np.full((rows, MAX_BIASES), V, np.int32)
    fields["bias_values"] = np.zeros((rows, MAX_BIASES), np.float32)
    for row, pairs in enumerate(given.pop("bias", [])):
        for place, (token, value) in enumerate(pairs):
            fields["bias_ids"][row, place], fields["bias_values"][row, place] = token, value
    assert not given
    return SamplingBatch(**fields)


def anything(rows: int):
    """Masks that allow every token."""
    return np.full((rows, -(-V // 32)), -1, np.int32)


def masks_of(allowed):
    """Packed masks of ``allowed [rows, V]`` bool."""
    padded = np.pad(allowed, ((0, 0), (0, -V % 32)))
    return np.packbits(padded, axis=-1, bitorder="little").view(np.int32)


def drawn(logits, position=None, history=None, masks=None, **given):
    rows = len(logits)
    position = np.arange(rows, dtype=np.int32) + 3 if position is None else position
    history = np.zeros((rows, S), np.int32) if history is None else history
    masks = anything(rows) if masks is None else masks
    return jit_draw(logits, params(rows, **given), masks, history, np.asarray(position, np.int32))


def weights_of(logits):
    return np.asarray(jnp.exp(logits - jnp.max(logits, axis=-1, keepdims=True)))


def distinct(seed: int, rows: int = 3):
    """Logits without two of a kind."""
    rng = np.random.default_rng(seed)
    values = np.linspace(-12, 9, V, dtype=np.float32)
    return np.stack([rng.permutation(values) for _ in range(rows)])


# --- one outcome only


@settings(max_examples=40, deadline=None)
@given(logits=logit_rows)
def test_greedy_is_argmax(logits):
    np.testing.assert_array_equal(drawn(logits, temperature=0.0).token, logits.argmax(axis=1))


@pytest.mark.parametrize(
    "given",
    [
        {"temperature": 1e-3},
        {"temperature": 1e-30},
        {"temperature": 1e-42},
        {"top_k": 1},
        {"top_p": 0.0},
        {"top_p": 1e-9},
        {"top_p": 1e-45},
        {"min_p": 1.0},
        {"top_k": 1, "top_p": 0.0, "min_p": 1.0, "temperature": 2.0},
    ],
    ids=str,
)
def test_what_leaves_one_token_draws_it(given):
    for seed in range(8):
        logits = distinct(seed, rows=4)
        tokens = drawn(logits, seed=words(*range(seed, seed + 4)), **given).token
        np.testing.assert_array_equal(tokens, logits.argmax(axis=1))


# --- truncation


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(1, V + 5))
def test_top_k_keeps_exactly_the_k_likeliest(seed, k):
    logits = distinct(seed)
    kept = np.asarray(jit_truncate(weights_of(logits), params(3, top_k=min(k, V)))) > 0
    order = np.argsort(-logits, axis=1)
    for row in range(3):
        assert set(np.flatnonzero(kept[row])) == set(order[row, :k])


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 1000), p=st.floats(0, 1, exclude_max=True, width=32))
def test_top_p_keeps_the_smallest_set_with_that_mass(seed, p):
    logits = distinct(seed)
    weights = weights_of(logits)
    kept = np.asarray(jit_truncate(weights, params(3, top_p=p))) > 0
    for row in range(3):
        order = np.argsort(-weights[row])
        mass = np.cumsum(weights[row, order].astype(np.float64)) / weights[row].sum(dtype=float)
        count = int(kept[row].sum())
        assert set(np.flatnonzero(kept[row])) == set(order[:count])
        assert count >= 1
        assert mass[count - 1] >= p - 1e-5
        assert count == 1 or mass[count - 2] < p + 1e-5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1000), p=st.floats(0, 1, width=32))
def test_min_p_keeps_what_is_likely_enough_beside_the_likeliest(seed, p):
    weights = weights_of(distinct(seed))
    kept = np.asarray(jit_truncate(weights, params(3, min_p=p)))
    np.testing.assert_array_equal(kept, np.where(weights >= p, weights, 0))


def test_top_p_counts_within_top_k():
    """Of four tokens of 0.4, 0.3, 0.2, 0.1, the two likeliest have 4/7 and 3/7 among them."""
    logits = np.full((1, V), -60, np.float32)
    logits[0, :4] = np.log([0.4, 0.3, 0.2, 0.1])
    kept = np.asarray(jit_truncate(weights_of(logits), params(1, top_k=2, top_p=0.5)))
    assert set(np.flatnonzero(kept)) == {0}
    kept = np.asarray(jit_truncate(weights_of(logits), params(1, top_k=2, top_p=0.6)))
    assert set(np.flatnonzero(kept)) == {0, 1}


def test_ties_at_the_border_all_stay():
    logits = np.zeros((1, V), np.float32)
    logits[0, 5] = 1
    assert np.sum(np.asarray(jit_truncate(weights_of(logits), params(1, top_k=2))) > 0) == V


def test_rows_are_truncated_by_their_own_parameters():
    weights = weights_of(distinct(1, rows=4))
    given = {
        "top_k": np.array([0, 3, 0, 0]),
        "top_p": np.array([1, 1, 0.5, 1]),
        "min_p": np.array([0, 0, 0, 0.1]),
    }
    together = np.asarray(jit_truncate(weights, params(4, **given)))
    np.testing.assert_array_equal(together[0], weights[0])
    for row in range(4):
        own = {name: values[row] for name, values in given.items()}
        alone = np.asarray(jit_truncate(weights[row : row + 1], params(1, **own)))[0]
        np.testing.assert_array_equal(together[row], alone)


# --- penalties and biases


def penalised(logits, history, prompt, position, given, bias=()):
    """The definition, token by token."""
    out = logits.astype(np.float64)
    past = history[:position].tolist()
    reply = history[prompt:position].tolist()
    for token in set(past):
        factor = given["repetition_penalty"]
        out[token] = out[token] / factor if out[token] > 0 else out[token] * factor
    for token in set(reply):
        out[token] -= given["frequency_penalty"] * reply.count(token) + given["presence_penalty"]
    for token, value in bias:
        out[token] += value
    return out


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    history=hnp.arrays(np.int32, (2, S), elements=st.integers(0, 9)),
    prompt=st.integers(0, 10),
    reply=st.integers(0, S - 10),
    frequency_penalty=st.floats(-2, 2, width=32),
    presence_penalty=st.floats(-2, 2, width=32),
    repetition_penalty=st.floats(0.125, 2, width=32),
)
def test_penalties_are_what_they_are_defined_as(seed, history, prompt, reply, **given):
    logits = distinct(seed, rows=2)
    bias = [[(3, 5.5), (699, -7.0)], []]
    position = np.array([prompt + reply, prompt], np.int32)
    shaped = jit_shape(
        logits, params(2, prompt_length=prompt, bias=bias, **given), history, position
    )
    for row in range(2):
        expected = penalised(logits[row], history[row], prompt, position[row], given, bias[row])
        np.testing.assert_allclose(shaped[row], expected, rtol=1e-5, atol=1e-4)


def test_penalties_change_a_greedy_choice():
    logits = np.zeros((3, V), np.float32)
    logits[:, 7], logits[:, 8] = 1.0, 0.9
    history = np.zeros((3, S), np.int32)
    history[:, 2] = 7
    given = {"temperature": 0.0, "position": [5, 5, 5], "history": history}
    prompt = np.array([0, 3, 3])  # token 7 is part of the reply, of the prompt, of the prompt
    tokens = drawn(logits, frequency_penalty=0.5, prompt_length=prompt, **given).token
    np.testing.assert_array_equal(tokens, [8, 7, 7])
    tokens = drawn(logits, repetition_penalty=1.5, prompt_length=prompt, **given).token
    np.testing.assert_array_equal(tokens, [8, 8, 8])


@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_bias_bans_and_forces(temperature):
    logits = distinct(5, rows=4)
    likeliest = logits.argmax(axis=1)
    bias = [[(int(token), -100.0)] for token in likeliest]
    for seed in range(20):
        tokens = drawn(
            logits, seed=words(*range(seed, seed + 4)), bias=bias, temperature=temperature
        ).token
        assert not np.any(np.asarray(tokens) == likeliest)
    tokens = drawn(logits, bias=[[(row, 100.0)] for row in range(4)], temperature=temperature)
    np.testing.assert_array_equal(tokens.token, np.arange(4))


# --- randomness


def test_uniform_numbers_are_below_one_and_belong_to_seed_and_position():
    seeds = words(0, 1, 2**32, 2**64 - 1)
    seen = np.stack(
        [np.asarray(jit_uniform(seeds, np.full(4, place, np.int32))) for place in range(2000)]
    )
    assert seen.min() >= 0
    assert seen.max() < 1
    assert len(np.unique(seen[:200])) == 800  # no two of 4 seeds at 200 positions
    np.testing.assert_allclose(seen.mean(axis=0), 0.5, atol=0.03)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, position=st.integers(0, 30), place=st.integers(0, 3), others=st.integers(0, 99))
def test_a_draw_depends_on_seed_and_position_alone(seed, position, place, others):
    logits = distinct(7, rows=4)
    logits[place] = mine = distinct(8, rows=1)[0]
    given = {"temperature": 1.3, "top_p": 0.95, "top_k": 50}
    alone = drawn(mine[None], seed=words(seed), position=[position], **given)
    all_seeds = [others + row for row in range(4)]
    all_seeds[place] = seed
    positions = np.arange(4) + 9
    positions[place] = position
    mixed = {  # the neighbours want other things
        name: np.array([value if row == place else neutral for row in range(4)])
        for (name, value), neutral in zip(given.items(), (0.0, 0.1, 3), strict=True)
    }
    together = drawn(logits, seed=words(*all_seeds), position=positions, **mixed)
    assert int(together.token[place]) == int(alone.token[0])


def test_draws_follow_the_distribution():
    """Chi-square over 20,000 draws of one seed at successive positions; 15 degrees of freedom."""
    logits = np.full((1, V), -1e9, np.float32)
    rng = np.random.default_rng(0)
    places = rng.choice(V, 16, replace=False)
    logits[0, places] = rng.normal(size=16)
    many = np.repeat(logits, 1000, axis=0)
    counts = np.zeros(V)
    for first in range(0, 20000, 1000):
        position = np.arange(first, first + 1000, dtype=np.int32)
        history = np.zeros((1000, 1), np.int32)
        given = params(1000, seed=words(*[77] * 1000))
        tokens = jit_draw(many, given, anything(1000), history, position).token
        counts += np.bincount(np.asarray(tokens), minlength=V)
    expected = weights_of(logits)[0, places].astype(np.float64)
    expected *= 20000 / expected.sum()
    assert counts.sum() == counts[places].sum()
    assert np.sum((counts[places] - expected) ** 2 / expected) < 37.7  # p = 0.001


@settings(max_examples=150, deadline=None)
@given(
    weights=hnp.arrays(
        np.float32, V, elements=st.one_of(st.just(0.0), st.floats(2**-20, 1, width=32))
    ),
    u=st.one_of(
        st.sampled_from([0.0, 2.0**-23, 0.5, 1 - 2.0**-23, 1 - 2.0**-24]),
        st.floats(0, 1, exclude_max=True, width=32),
    ),
)
def test_two_levels_invert_the_plain_running_sum(weights, u):
    weights[123] = max(weights[123], 0.5)
    token = int(jit_invert(weights, np.float32(u)))
    assert weights[token] > 0
    sums = np.cumsum(weights.astype(np.float64))
    target, slack = u * sums[-1], 1e-5 * sums[-1]
    before = sums[token - 1] if token else 0.0
    assert before <= target + slack
    assert sums[token] > target - slack


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 49152])
@pytest.mark.parametrize("u", [0.0, 1 - 2.0**-23, 1 - 2.0**-24])
def test_the_ends_of_the_unit_interval_are_tokens_with_weight(size, u):
    weights = np.zeros(size, np.float32)
    weights[size // 2], weights[size // 3] = 1.0, 1e-7
    token = int(_invert(jnp.asarray(weights), jnp.float32(u)))
    assert weights[token] > 0
    assert token == (min(size // 3, size // 2) if u == 0 else size // 2)


# --- log-probabilities


@settings(max_examples=30, deadline=None)
@given(logits=logit_rows)
def test_logprobs_are_of_the_models_own_distribution(logits):
    """Temperature, bias and truncation shape the draw, not what is reported."""
    out = drawn(logits, logprobs=True, temperature=0.3, top_k=4, bias=[[(0, 9.0)], [], []])
    wide = logits.astype(np.float64)
    expected = wide - np.log(np.exp(wide).sum(axis=1, keepdims=True))
    rows = np.arange(3)
    np.testing.assert_allclose(out.logprob, expected[rows, np.asarray(out.token)], atol=1e-4)
    best = -np.sort(-expected, axis=1)[:, :20]
    np.testing.assert_allclose(out.top_logprobs, best, atol=1e-4)
    np.testing.assert_allclose(
        np.take_along_axis(expected, np.asarray(out.top_ids), axis=1), best, atol=1e-4
    )


def test_token_logprobs_of_a_text():
    logits = distinct(3)
    chosen, ids, values = token_logprobs(jnp.asarray(logits), jnp.array([1, 2, 3]))
    expected = np.asarray(jax.nn.log_softmax(logits))
    np.testing.assert_allclose(chosen, expected[np.arange(3), [1, 2, 3]], atol=1e-5)
    np.testing.assert_array_equal(ids[:, 0], logits.argmax(axis=1))
    assert np.all(np.exp(values).sum(axis=1) <= 1 + 1e-6)


# --- extremes


@pytest.mark.parametrize("temperature", [0.0, 1e-30, 0.5, 2.0])
@pytest.mark.parametrize(
    "fill",
    [
        lambda row: row * 1e30,
        lambda row: row * 2.7e37,
        lambda row: np.where(row > 5, row, -np.inf),
        lambda row: row * 0,
        lambda row: row * 1e-44,
    ],
    ids=["huge", "largest", "minus infinity", "equal", "tiny"],
)
def test_extreme_logits_draw_tokens_and_report_numbers(fill, temperature):
    logits = fill(distinct(9)).astype(np.float32)
    out = drawn(
        logits,
        temperature=temperature,
        top_p=0.9,
        top_k=40,
        min_p=0.01,
        repetition_penalty=1.1,
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        logprobs=True,
    )
    tokens = np.asarray(out.token)
    assert np.all((tokens >= 0) & (tokens < V))
    assert not np.any(np.isnan(out.logprob))
    assert not np.any(np.isnan(out.top_logprobs))
    assert np.all(np.isfinite(logits[np.arange(3), tokens]))


@settings(max_examples=50)
@given(
    logits=logit_rows,
    allowed=hnp.arrays(np.bool_, (3, V)),
    temperature=st.sampled_from([0.0, 0.7, 5.0]),
    seed=seeds,
)
def test_only_what_a_mask_allows_is_drawn(logits, allowed, temperature, seed):
    allowed[:, 13] = True
    masks = masks_of(allowed)
    given = {"temperature": temperature, "seed": words(*[seed] * 3), "top_k": 900}
    token = np.asarray(drawn(logits, masks=masks, **given).token)
    assert allowed[np.arange(3), token].all()
    if not temperature:
        np.testing.assert_array_equal(token, np.where(allowed, logits, -np.inf).argmax(-1))


def test_a_masks_row_is_its_own():
    """A row that may say anything draws as it does beside no masks at all."""
    logits = np.random.default_rng(3).normal(size=(3, V)).astype(np.float32)
    masks = anything(3)
    masks[1] = masks_of(np.arange(V)[None] == 77)[0]
    free, bound = drawn(logits), drawn(logits, masks=masks)
    assert bound.token[1] == 77
    np.testing.assert_array_equal(bound.token[jnp.array([0, 2])], free.token[jnp.array([0, 2])])
    np.testing.assert_array_equal(bound.logprob, free.logprob)
