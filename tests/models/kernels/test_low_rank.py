"""The kernel of low-rank changes: right, each row the same bits in any company, no byte outside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models import kernels
from botkit_models.kernels.low_rank_kernel import GROUP, MANY_ROWS

SHAPES = [(2, 4, 32, 64), (3, 5, 37, 41), (1, 1, 7, 3), (2, 16, 96, 17), (2, 48, 576, 960)]
COUNTS = (1, 2, GROUP - 1, GROUP, MANY_ROWS - 1, MANY_ROWS, MANY_ROWS + 1, 30)


@pytest.fixture(autouse=True, scope="module")
def registered():
    if not kernels.available():
        pytest.skip("no kernels on this machine")
    kernels.register()


@pytest.fixture(params=SHAPES, ids=str)
def factors(request):
    n, rank, inside, out = request.param
    rng = np.random.default_rng(request.param)
    a = rng.standard_normal((n, rank, inside)).astype(np.float32)
    b = rng.standard_normal((n, rank, out)).astype(np.float32)
    return a, b


def rows_for(a, count):
    return np.random.default_rng(5).standard_normal((count, a.shape[2])).astype(np.float32)


def run(x, a, b, ids, positions=None):
    positions = np.zeros(len(x), np.int32) if positions is None else positions
    return np.asarray(jax.jit(kernels.low_rank)(x, a, b, ids.astype(np.int32), positions))


def mixed_ids(a, count):
    """Whole groups of one adapter, then rows that change with every one."""
    return np.where(np.arange(count) < count // 2, 0, np.arange(count)) % len(a)


def test_each_row_is_multiplied_by_its_own_factors(factors):
    a, b = factors
    x, ids = rows_for(a, 30), mixed_ids(a, 30)
    inner = np.einsum("ni,nri->nr", x.astype(np.float64), a.astype(np.float64)[ids])
    expected = np.einsum("nr,nro->no", inner, b.astype(np.float64)[ids])
    found = run(x, a, b, ids)
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_a_row_is_the_same_bits_in_any_company(factors):
    a, b = factors
    x, ids = rows_for(a, 30), mixed_ids(a, 30)
    together = run(x, a, b, ids)
    for count in COUNTS:
        np.testing.assert_array_equal(run(x[:count], a, b, ids[:count]), together[:count])
        np.testing.assert_array_equal(run(x[-count:], a, b, ids[-count:]), together[-count:])


def test_padding_is_nought_and_changes_nothing(factors):
    a, b = factors
    x, ids = rows_for(a, 30), mixed_ids(a, 30)
    positions = np.where(np.arange(30) % 7 == 3, -1, 5).astype(np.int32)
    found = run(x, a, b, ids, positions)
    assert not found[positions < 0].any()
    np.testing.assert_array_equal(found[positions >= 0], run(x, a, b, ids)[positions >= 0])


def test_rows_of_not_a_number_stay_by_themselves():
    a, b = np.ones((1, 3, 9), np.float32), np.ones((1, 3, 11), np.float32)
    x = np.ones((GROUP, 9), np.float32)
    x[1, 4] = np.nan
    found = run(x, a, b, np.zeros(GROUP))
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(np.delete(found, 1, axis=0), np.full((GROUP - 1, 11), 27.0))


def test_xla_computes_the_same(factors):
    from botkit_models.gpt.lora import Stack, low_rank_change

    a, b = factors
    x, ids = rows_for(a, 12).reshape(3, 4, -1), jnp.array([0, len(a) - 1, 0], jnp.int32)
    positions, stack = jnp.zeros((3, 4), jnp.int32), Stack(jnp.asarray(a), jnp.asarray(b))
    one = low_rank_change(jnp.asarray(x), positions, stack, ids, use_kernels=True)
    other = low_rank_change(jnp.asarray(x), positions, stack, ids)
    np.testing.assert_allclose(one, other, atol=2e-5 * float(jnp.abs(other).max()))
