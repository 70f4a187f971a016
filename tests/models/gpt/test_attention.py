"""Attention over blocks of cache, against a plain softmax in float64."""

import jax
import numpy as np
import pytest

from botkit_models.gpt.attention import AttentionSpec, attend_gathered
from botkit_models.gpt.block import BLOCK

H, K, D = 6, 2, 8


def blocks_of(keys, values, length):
    """Blocks ``[M, K, C, D]`` of ``keys, values [S, K, D]``; the rest is junk, not zeros."""
    junk = np.random.default_rng(99).normal(size=(2, length, K, D)).astype(np.float32) * 5
    junk[0, : len(keys)], junk[1, : len(values)] = keys, values
    return junk.reshape(2, length // BLOCK, BLOCK, K, D).transpose(0, 1, 3, 2, 4)


def reference(q, keys, values, start, window=None, softcap=None):
    """``q [T, H, D]``, ``keys, values [S, K, D]`` -> ``[T, H*D]`` float64, query by query."""
    out = np.zeros(q.shape)
    for t, h in np.ndindex(q.shape[:2]):
        position = start + t
        first = 0 if window is None else max(0, position - window + 1)
        seen = slice(first, position + 1)
        scores = keys[seen, h // (H // K)].astype(np.float64) @ q[t, h]
        if softcap is not None:
            scores = softcap * np.tanh(scores / softcap)
        weights = np.exp(scores - scores.max())
        out[t, h] = weights / weights.sum() @ values[seen, h // (H // K)]
    return out.reshape(len(q), -1)


def random(seed, tokens, start):
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(tokens, H, D)).astype(np.float32)
    k, v = rng.normal(size=(2, start + tokens, K, D)).astype(np.float32)
    return q, k, v


attend = jax.jit(attend_gathered, static_argnames=("spec",))


def run(q, k, v, length, start, window=None, softcap=None):
    keys, values = blocks_of(k, v, length)
    positions = start + np.arange(len(q), dtype=np.int32)
    return np.asarray(attend(q, keys, values, positions, AttentionSpec(1.0, window, softcap)))


@pytest.mark.parametrize(
    ("start", "tokens"), [(0, 1), (0, 64), (5, 1), (127, 1), (128, 1), (128, 64), (200, 1)]
)
@pytest.mark.parametrize(("window", "softcap"), [(None, None), (7, None), (130, 2.0), (1, None)])
def test_it_is_softmax_attention(start, tokens, window, softcap):
    q, k, v = random(start, tokens, start)
    expected = reference(q, k, v, start, window, softcap)
    np.testing.assert_allclose(run(q, k, v, 256, start, window, softcap), expected, atol=2e-5)


@pytest.mark.parametrize(("start", "tokens"), [(0, 1), (77, 1), (128, 64), (192, 64), (255, 1)])
@pytest.mark.parametrize("window", [None, 9])
def test_a_longer_cache_changes_no_bit(start, tokens, window):
    q, k, v = random(start + 1, tokens, start)
    outs = [run(q, k, v, S, start, window) for S in (256, 512, 1024, 2048)]
    for out in outs[1:]:
        np.testing.assert_array_equal(out, outs[0])


@pytest.mark.parametrize("length", [48, 64, 112, 144])
def test_any_number_of_blocks_will_do(length):
    q, k, v = random(6, 1, 40)
    np.testing.assert_allclose(run(q, k, v, length, 40), reference(q, k, v, 40), atol=2e-5)


def test_a_window_of_one_sees_only_itself():
    q, k, v = random(3, 1, 40)
    expected = np.repeat(v[40], H // K, axis=0).reshape(1, -1)
    np.testing.assert_allclose(run(q, k, v, 256, 40, window=1), expected, atol=1e-6)


def test_huge_scores_give_numbers():
    q, k, v = random(4, 1, 100)
    assert np.all(np.isfinite(run(q * 1e6, k, v, 256, 100)))
