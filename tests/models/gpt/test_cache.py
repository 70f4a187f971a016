"""Pages: what is written is what is attended over, wherever its blocks lie; nothing else moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_models import FIXTURES

from botkit_models.gpt.attention import AttentionSpec
from botkit_models.gpt.block import BLOCK
from botkit_models.gpt.cache import PagedCache, block_bytes, empty_pools
from botkit_models.weights.huggingface import read_huggingface

H, K, D, BLOCKS = 6, 3, 4, 40
SPEC = AttentionSpec(scale=1.0)
CONFIG = read_huggingface(FIXTURES / "llama").config
attend = jax.jit(PagedCache.attend, static_argnames=("spec",))


def junk(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, BLOCKS, K, BLOCK, D)).astype(np.float32) * 5


def tables_of(rows, width, seed=0):
    """Every row has blocks of its own, in no order."""
    blocks = np.random.default_rng(seed).permutation(BLOCKS)[: rows * width]
    return blocks.astype(np.int32).reshape(rows, width)


def new_tokens(rows, tokens, seed=1):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(rows, tokens, H, D)).astype(np.float32)
    k, v = rng.normal(size=(2, rows, tokens, K, D)).astype(np.float32)
    return q, k, v


@pytest.mark.parametrize(("start", "tokens"), [(0, 1), (15, 1), (16, 3), (5, 40), (0, 64), (63, 1)])
def test_tokens_land_in_their_blocks_and_nowhere_else(start, tokens):
    before, tables = junk(), tables_of(2, 4)
    q, k, v = new_tokens(2, tokens)
    starts = np.array([[start], [max(start - 5, 0)]])
    positions = (starts + np.arange(tokens)).astype(np.int32)
    _, cache = attend(
        PagedCache(*map(jnp.asarray, before), tables), q, k, v, positions, None, spec=SPEC
    )
    for written, old, new in zip((k, v), before, (cache.keys, cache.values), strict=True):
        expected = old.copy()
        for row, token in np.ndindex(2, tokens):
            place = positions[row, token]
            expected[tables[row, place // BLOCK], :, place % BLOCK] = written[row, token]
        np.testing.assert_array_equal(np.asarray(new), expected)


def test_padding_writes_nothing():
    before, tables = junk(), tables_of(2, 4)
    q, k, v = new_tokens(2, 3)
    positions = np.full((2, 3), -1, np.int32)
    _, cache = attend(
        PagedCache(*map(jnp.asarray, before), tables), q, k, v, positions, None, spec=SPEC
    )
    np.testing.assert_array_equal(np.asarray(cache.keys), before[0])
    np.testing.assert_array_equal(np.asarray(cache.values), before[1])


def test_where_the_blocks_lie_changes_no_bit():
    q, k, v = new_tokens(1, 50)
    positions = np.arange(50, dtype=np.int32)[None]
    outs = []
    for seed in range(4):
        pool = PagedCache(*map(jnp.asarray, junk(seed)), tables_of(1, 8, seed))
        out, _ = attend(pool, q, k, v, positions, None, spec=SPEC)
        outs.append(np.asarray(out))
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])


def test_pools_have_the_size_they_say():
    pools = empty_pools(CONFIG, 3, jnp.float16)
    assert len(pools) == CONFIG.num_layers
    held = sum(array.nbytes for pool in pools for array in pool)
    assert held == 3 * block_bytes(CONFIG, jnp.float16)
