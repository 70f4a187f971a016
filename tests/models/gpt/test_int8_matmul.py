"""W8A8 products: exact integers, bounded error, rows that do not see one another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from botkit_models.gpt.embedding import Embedding
from botkit_models.gpt.linear import Linear, int8_matmul, integer_matmul
from botkit_models.gpt.rows import Rows, rows_of
from botkit_models.weights.quantize import quantize_channels

matmul = jax.jit(
    lambda x, weight, scale, fine=False: int8_matmul(rows_of(x), weight, scale, fine=fine),
    static_argnames="fine",
)
ROWS, INNER, OUTER = 5, 64, 48
finite = st.floats(-1e4, 1e4, width=32)
positive = st.floats(2**-60, 1e4, width=32)
normal = st.one_of(st.just(0.0), positive, positive.map(lambda value: -value))


def weights_of(seed: int, outer: int = OUTER, inner: int = INNER):
    rng = np.random.default_rng(seed)
    return quantize_channels(rng.normal(size=(outer, inner)).astype(np.float32))


def exact(x, weight, scale):
    return x.astype(np.float64) @ (weight.astype(np.float64) * scale[:, None]).T


def bound(x, weight, scale, units: float):
    """Half a unit of activation per input: |error| <= unit / 2 * sum |w|, and float rounding."""
    unit = np.abs(x).max(axis=1, keepdims=True).astype(np.float64) / units
    total = np.abs(weight.astype(np.float64) * scale[:, None]).sum(axis=1)
    rounding = np.abs(x).max(axis=1, keepdims=True) * total * 4e-6
    return unit / 2 * total * 1.001 + rounding + 1e-30


@settings(max_examples=60, deadline=None)
@given(x=hnp.arrays(np.float32, (ROWS, INNER), elements=finite), seed=st.integers(0, 5))
def test_the_error_is_at_most_half_a_unit_per_input(x, seed):
    weight, scale = weights_of(seed)
    truth = exact(x, weight, scale)
    plain = np.asarray(matmul(x, weight, scale))
    assert np.all(np.abs(plain - truth) <= bound(x, weight, scale, 127))
    fine = np.asarray(matmul(x, weight, scale, fine=True))
    assert np.all(np.abs(fine - truth) <= bound(x, weight, scale, 127 * 254))


@pytest.mark.parametrize("outlier", [1.0, 30.0, 1000.0])
def test_fine_is_fifty_times_better_and_more(outlier):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 512)).astype(np.float32)
    x[:, 3] *= outlier
    weight, scale = weights_of(1, 96, 512)
    truth = exact(x, weight, scale)
    plain = np.sqrt(np.mean((np.asarray(matmul(x, weight, scale)) - truth) ** 2))
    fine = np.sqrt(np.mean((np.asarray(matmul(x, weight, scale, fine=True)) - truth) ** 2))
    assert fine * 50 < plain


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 64])
def test_a_row_is_the_same_bits_alone_and_among_others(count, fine):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(64, INNER)).astype(np.float32)
    weight, scale = weights_of(2)
    whole = np.asarray(matmul(x, weight, scale, fine=fine))
    part = np.asarray(matmul(x[:count], weight, scale, fine=fine))
    np.testing.assert_array_equal(part, whole[:count])


@pytest.mark.parametrize("fine", [False, True])
def test_rows_of_zeros_and_of_almost_zeros_give_numbers(fine):
    weight, scale = weights_of(3)
    x = np.zeros((4, INNER), np.float32)
    x[1, 5], x[2, 5], x[3, 5] = 1e-38, 1e-44, 1e-20
    y = np.asarray(matmul(x, weight, scale, fine=fine))
    assert np.all(np.isfinite(y))
    np.testing.assert_array_equal(y[0], 0)
    np.testing.assert_allclose(y, exact(x, weight, scale), atol=1e-22)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    extreme=st.booleans(),
)
def test_integer_products_are_exact(count, seed, extreme):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-127, 128, (count, INNER)).astype(np.int8)
    weight = rng.integers(-127, 128, (OUTER, INNER)).astype(np.int8)
    if extreme:
        rows[0], weight[0] = 127, -127
    expected = rows.astype(np.int64) @ weight.astype(np.int64).T
    product = np.asarray(integer_matmul(jnp.asarray(rows), jnp.asarray(weight)))
    assert product.dtype == np.int32
    np.testing.assert_array_equal(product, expected)


@settings(max_examples=60, deadline=None)
@given(matrix=hnp.arrays(np.float32, (4, 16), elements=normal))
def test_quantised_channels_are_within_half_a_step_and_reach_the_peak(matrix):
    weight, scale = quantize_channels(matrix)
    back = weight.astype(np.float64) * scale[:, None]
    assert np.all(np.abs(back - matrix) <= scale[:, None] * 0.5001)
    for row, peak in zip(weight, np.abs(matrix).max(axis=1), strict=True):
        assert np.abs(row.astype(int)).max() == (127 if peak > 0 else 0)


def test_whole_numbers_survive_quantisation():
    """A matrix that int8 can say exactly comes back exactly, and so does its product."""
    rng = np.random.default_rng(4)
    matrix = rng.integers(-127, 128, (OUTER, INNER)).astype(np.float32)
    matrix[:, 0] = 127
    weight, scale = quantize_channels(matrix)
    np.testing.assert_array_equal(weight * scale[:, None], matrix)
    x = rng.integers(-127, 128, (3, INNER)).astype(np.float32)
    x[:, 1] = -127
    np.testing.assert_array_equal(np.asarray(matmul(x, weight, scale)), x @ matrix.T)


def test_linear_and_embedding_use_scale_and_bias():
    weight, scale = weights_of(5)
    bias = np.arange(OUTER, dtype=np.float32)
    tensors = {"p.weight": jnp.asarray(weight), "p.scale": jnp.asarray(scale)}
    x = jnp.asarray(np.random.default_rng(6).normal(size=(2, 3, INNER)).astype(np.float32))
    places = jnp.zeros((2, 3), jnp.int32)
    plain = np.asarray(Linear(tensors, "p")(x, places))
    assert plain.shape == (2, 3, OUTER)
    biased = np.asarray(Linear({**tensors, "p.bias": jnp.asarray(bias)}, "p")(x, places))
    np.testing.assert_allclose(biased, plain + bias, rtol=1e-6)
    fine = np.asarray(Linear(tensors, "p", fine=True)(x, places))
    truth = exact(np.asarray(x).reshape(-1, INNER), weight, scale).reshape(fine.shape)
    assert np.abs(fine - truth).max() * 20 < np.abs(plain - truth).max()
    table = Embedding(tensors, "p")
    rows = np.asarray(table(jnp.array([[0, 7]])))
    np.testing.assert_array_equal(rows[0], weight[[0, 7]] * scale[[0, 7]][:, None])
    np.testing.assert_array_equal(np.asarray(table.attend(x, places)), plain)


def test_a_factor_kept_apart_is_multiplied_in():
    weight, scale = weights_of(7)
    x = jnp.asarray(np.random.default_rng(8).normal(size=(3, INNER)).astype(np.float32))
    factor = jnp.array([[0.5], [2.0], [1024.0]])
    apart = rows_of(x)
    rows = Rows(apart.values, factor, apart.peak)
    np.testing.assert_array_equal(rows.scaled(), x * factor)
    product = np.asarray(int8_matmul(rows, jnp.asarray(weight), jnp.asarray(scale)))
    np.testing.assert_allclose(product, np.asarray(matmul(x * factor, weight, scale)), rtol=1e-6)
