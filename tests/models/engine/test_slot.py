"""Chunk plans, batch groups and sizes: the laws that programs rely on."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.errors import SettingsError
from botkit_models.engine.config import SMALLEST_CACHE, EngineConfig
from botkit_models.engine.slot import chunk_plan

sizes = st.sampled_from([(64, 256), (64,), (32, 128), (16, 64, 256), (1, 256), (256,)])


@given(count=st.integers(0, 5000), sizes=sizes)
def test_a_plan_covers_the_count_in_aligned_chunks(count, sizes):
    plan = chunk_plan(count, sizes)
    assert set(plan) <= set(sizes)
    assert count <= sum(plan)
    start = 0
    for size in reversed(plan):
        assert start % size == 0  # no write straddles a block
        assert start < count  # no chunk without a token
        start += size
    assert start % sizes[0] == 0


@given(count=st.integers(1, 5000), sizes=sizes)
def test_a_plan_fits_the_shortest_cache_that_holds_the_count(count, sizes):
    length = next(n for n in EngineConfig(context=8192).cache_lengths if n >= count)
    assert sum(chunk_plan(count, sizes)) <= length


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"slots": 0}, "slots"),
        ({"slots": -4}, "slots"),
        ({"context": 0}, "context"),
        ({"queue": -1}, "queue"),
        ({"decode_steps": 0}, "decode_steps"),
        ({"prefill_chunks": ()}, "prefill_chunks"),
        ({"prefill_chunks": (256, 64)}, "prefill_chunks"),
        ({"prefill_chunks": (48, 256)}, "prefill_chunks"),
        ({"prefill_chunks": (64, 512)}, "prefill_chunks"),
        ({"prefill_chunks": (0, 64)}, "prefill_chunks"),
    ],
    ids=str,
)
def test_sizes_that_cannot_work_are_refused_by_name(fields, word):
    with pytest.raises(SettingsError, match=word):
        EngineConfig(**fields)


@given(slots=st.integers(1, 64), context=st.integers(1, 9000))
def test_sizes_reach_the_slots_and_the_context(slots, context):
    config = EngineConfig(slots=slots, context=context)
    assert config.batch_sizes[0] == 1
    assert config.batch_sizes[-1] == slots
    assert list(config.batch_sizes) == sorted(set(config.batch_sizes))
    lengths = config.cache_lengths
    assert lengths[0] == SMALLEST_CACHE
    assert lengths[-1] >= context
    assert all(b == 2 * a for a, b in pairwise(lengths))
    assert len(lengths) == 1 or lengths[-2] < context
