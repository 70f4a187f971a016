"""The cache of slots: what is stored where, and that attention over it is the paged cache's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models.gpt.attention import AttentionSpec
from botkit_models.gpt.cache import BLOCK, PagedCache
from botkit_models.gpt.slot_cache import SlotCache, put_scattered, put_selected

B, K, H, D, S = 4, 2, 4, 8, 64


def numbers(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, jnp.float32)


def empty():
    return SlotCache(jnp.zeros((B, K, S, D)), jnp.zeros((B, K, S, D)))


def paged():
    blocks = jnp.zeros((B * S // BLOCK, K, BLOCK, D))
    tables = jnp.arange(B * S // BLOCK, dtype=jnp.int32).reshape(B, -1)
    return PagedCache(blocks, blocks, tables)


@pytest.mark.parametrize(
    "spec",
    [
        AttentionSpec(0.25),
        AttentionSpec(0.25, window=3),
        AttentionSpec(0.25, softcap=2.0),
    ],
)
def test_it_attends_as_the_paged_cache_does(spec):
    slots, pages = empty(), paged()
    for turn, (start, T) in enumerate([(0, 16), (16, 1), (17, 1)]):
        positions = jnp.broadcast_to(jnp.arange(start, start + T, dtype=jnp.int32), (B, T))
        new = [numbers(10 * turn + n, B, T, heads, D) for n, heads in enumerate((H, K, K))]
        mixed, slots = slots.attend(*new, positions, None, spec)
        expected, pages = pages.attend(*new, positions, None, spec)
        np.testing.assert_allclose(mixed, expected, atol=1e-5)


def test_a_row_without_a_token_changes_nothing():
    k, v = numbers(1, B, 1, K, D), numbers(2, B, 1, K, D)
    positions = jnp.array([[5], [-1], [S - 1], [-1]], jnp.int32)
    _, cache = empty().attend(numbers(3, B, 1, H, D), k, v, positions, None, AttentionSpec(1.0))
    assert not np.any(cache.keys[jnp.array([1, 3])])
    np.testing.assert_array_equal(cache.keys[0, :, 5], k[0, 0])
    np.testing.assert_array_equal(cache.values[2, :, S - 1], v[2, 0])
    assert np.count_nonzero(cache.keys) == 2 * K * D


def test_prompts_go_to_a_slot_of_their_own_group():
    rows, T = 2, 4
    k, v = numbers(1, rows, T, K, D), numbers(2, rows, T, K, D)
    positions = jnp.broadcast_to(jnp.arange(8, 8 + T, dtype=jnp.int32), (rows, T))
    cache = empty()._replace(slots=jnp.array([1, 0], jnp.int32))
    _, cache = cache.attend(numbers(3, rows, T, H, D), k, v, positions, None, AttentionSpec(1.0))
    for row, slot in enumerate([1, 2]):
        stored = cache.values[slot, :, 8 : 8 + T].transpose(1, 0, 2)
        np.testing.assert_array_equal(stored, v[row])
    assert np.count_nonzero(cache.keys) == rows * T * K * D


@pytest.mark.parametrize(("slot", "column"), [(0, 0), (2, S - 1), (1, S)])
def test_both_ways_to_store_a_token_store_the_same(slot, column):
    group, new = numbers(1, 3, K, S, D), numbers(2, 1, K, D)
    arguments = group, jnp.int32(slot), jnp.array([column], jnp.int32), new
    scattered, selected = put_scattered(*arguments), put_selected(*arguments)
    np.testing.assert_array_equal(scattered, selected)
    assert np.array_equal(selected, group) == (column == S)
