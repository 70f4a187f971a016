"""Writing keys and values: any aligned chunk lands where reading expects it, nothing else moves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_models import FIXTURES

from botkit_models.gpt.cache import BLOCK, LayerCache, cache_bytes, empty_caches
from botkit_models.weights.huggingface import read_huggingface

K, D, LENGTH = 3, 4, 4 * BLOCK
CONFIG = read_huggingface(FIXTURES / "llama").config
write = jax.jit(LayerCache.write)


def flat(blocks):
    """``[N*K, C, D]`` as positions ``[S, K, D]``."""
    return np.asarray(blocks).reshape(-1, K, BLOCK, D).transpose(0, 2, 1, 3).reshape(-1, K, D)


@pytest.mark.parametrize(
    ("tokens", "start"),
    [
        *((1, start) for start in (0, 1, 127, 128, 300, 511)),
        *((64, start) for start in (0, 64, 128, 448)),
        *((128, start) for start in (0, 128, 384)),
        *((256, start) for start in (0, 128, 256)),
        (512, 0),
    ],
)
def test_a_chunk_lands_at_its_positions(tokens, start):
    rng = np.random.default_rng(tokens + start)
    before = rng.normal(size=(2, LENGTH // BLOCK * K, BLOCK, D)).astype(np.float32)
    k, v = rng.normal(size=(2, tokens, K, D)).astype(np.float32)
    cache = write(LayerCache(*map(jnp.asarray, before)), k, v, jnp.int32(start))
    for new, old, written in zip(cache, before, (k, v), strict=True):
        expected = flat(old).copy()
        expected[start : start + tokens] = written
        np.testing.assert_array_equal(flat(new), expected)


def test_empty_caches_have_the_size_they_say():
    caches = empty_caches(CONFIG, 256)
    assert len(caches) == CONFIG.num_layers
    assert sum(array.nbytes for cache in caches for array in cache) == cache_bytes(CONFIG, 256)
    assert all(not np.any(array) for cache in caches for array in cache)
