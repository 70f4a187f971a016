"""Low-rank changes: the plain arithmetic, and the same bits in every program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models.gpt.lora import Adapters, Stack, _gathered, changes_of, low_rank_change

B, T, IN, OUT, RANK = 5, 19, 48, 40, 6


@pytest.fixture(scope="module")
def stack():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((3, RANK, IN)).astype(np.float32)
    b = rng.standard_normal((3, RANK, OUT)).astype(np.float32)
    return Stack(jnp.asarray(a), jnp.asarray(b))


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(1).standard_normal((B, T, IN)), jnp.float32)


IDS = jnp.array([2, 0, 1, 1, 0], jnp.int32)


def change(stack, x, ids):
    positions = jnp.zeros(x.shape[:2], jnp.int32)
    return np.asarray(jax.jit(low_rank_change)(x, positions, stack, ids))


def test_every_row_gets_its_own_adapter(stack, x):
    found = change(stack, x, IDS)
    for row, id in enumerate(IDS.tolist()):
        wide = np.asarray(x[row], np.float64) @ np.asarray(stack.a[id], np.float64).T
        expected = wide @ np.asarray(stack.b[id], np.float64)
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


def test_only_changed_projections_cost_anything(stack, x):
    positions = jnp.zeros(x.shape[:2], jnp.int32)
    adapters = Adapters([{"attn.out": stack}, {}], IDS)
    first, second = (changes_of(adapters, layer, use_kernels=False) for layer in (0, 1))
    residual = jnp.ones((B, T, OUT))
    found = first.of("attn.out", x, positions, norm=lambda x: 2 * x, residual=residual)
    np.testing.assert_array_equal(found, 1 + change(stack, 2 * x, IDS))
    assert first.of("attn.out", x, positions).shape == (B, T, OUT)
    assert first.of("mlp.down", x, positions, residual=residual) is residual
    assert second.of("attn.out", x, positions) is None
    none = changes_of(None, 0, use_kernels=True)
    assert none.of("attn.out", x, positions, residual=residual) is residual
