"""Low-rank changes: the plain arithmetic, and the same bits in every program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models.gpt.lora import Adapters, Change, Stack, _gathered, change_of

B, T, IN, OUT, RANK = 5, 19, 48, 40, 6


@pytest.fixture(scope="module")
def stack():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, RANK, IN)).astype(np.float32)
    b = rng.standard_normal((3, OUT, RANK)).astype(np.float32)
    return Stack(jnp.asarray(a), jnp.asarray(b))


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(1).standard_normal((B, T, IN)), jnp.float32)


IDS = jnp.array([2, 0, 1, 1, 0], jnp.int32)


def change(stack, x, ids):
    return np.asarray(jax.jit(lambda *parts: Change(*parts[1:])(parts[0]))(x, stack, ids))


def test_every_row_gets_its_own_adapter(stack, x):
    found = change(stack, x, IDS)
    for row, id in enumerate(IDS.tolist()):
        wide = np.asarray(x[row], np.float64) @ np.asarray(stack.a[id], np.float64).T
        expected = wide @ np.asarray(stack.b[id], np.float64).T
        np.testing.assert_allclose(found[row], expected, rtol=1e-4, atol=1e-4)


def test_accelerators_compute_the_same(stack, x):
    np.testing.assert_allclose(
        np.asarray(_gathered(x, *stack, IDS)), change(stack, x, IDS), rtol=1e-4, atol=1e-4
    )


def test_a_token_has_the_same_bits_alone_and_among_others(stack, x):
    together = change(stack, x, IDS)
    for row in range(B):
        alone = change(stack, x[row : row + 1], IDS[row : row + 1])
        np.testing.assert_array_equal(alone[0], together[row])
        for place in range(T):
            token = change(stack, x[row : row + 1, place : place + 1], IDS[row : row + 1])
            np.testing.assert_array_equal(token[0, 0], together[row, place])


def test_a_projection_that_no_adapter_changes_has_no_change(stack):
    adapters = Adapters([{"attn.out": stack}, {}], IDS)
    assert change_of(adapters, 0, "attn.out") == Change(stack, IDS)
    assert change_of(adapters, 1, "attn.out") is None
    assert change_of(None, 0, "attn.out") is None
