"""Sizes of an engine: what cannot work is refused, and what can is enough."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.errors import SettingsError
from botkit_models.engine.config import EngineConfig
from botkit_models.gpt.block import BLOCK


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"slots": 0}, "slots"),
        ({"slots": -4}, "slots"),
        ({"context": 0}, "context"),
        ({"queue": -1}, "queue"),
        ({"decode_steps": 0}, "decode_steps"),
        ({"drafts": -1}, "drafts"),
        ({"prefix_bytes": -1}, "prefix_bytes"),
        ({"chunks": ()}, "chunks"),
        ({"chunks": (256, 64)}, "chunks"),
        ({"chunks": (64, 64)}, "chunks"),
        ({"chunks": (0, 64)}, "chunks"),
    ],
    ids=str,
)
def test_sizes_that_cannot_work_are_refused_by_name(fields, word):
    with pytest.raises(SettingsError, match=word):
        EngineConfig(**fields)


@given(slots=st.integers(1, 64), context=st.integers(1, 9000), drafts=st.integers(0, 9))
def test_sizes_reach_the_slots_the_drafts_and_the_context(slots, context, drafts):
    config = EngineConfig(slots=slots, context=context, drafts=drafts)
    sizes = config.batch_sizes
    assert sizes[0] == 1
    assert sizes[-1] >= max(slots, drafts + 1)
    assert all(a < b for a, b in pairwise(sizes))
    assert len(sizes) == 1 or sizes[-2] < max(slots, drafts + 1)
    widths = config.table_widths
    assert widths[-1] == config.table_width
    assert all(a < b <= 2 * a for a, b in pairwise(widths))
    assert (widths[-1] - 1) * BLOCK < context <= widths[-1] * BLOCK
