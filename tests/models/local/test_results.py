"""What was computed is kept while there is room, and nothing else is given."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit_models.local.results import ENTRY_BYTES, ResultCache

ENTRY = 4 * 10 + ENTRY_BYTES


def array(value):
    return np.full(10, value, np.float32)


def test_what_was_used_last_stays():
    cache = ResultCache(max_bytes=3 * ENTRY)
    for place in range(3):
        cache.put("v", [place], array(place))
    assert cache.get("v", [0]) is not None
    cache.put("v", [3], array(3))
    assert cache.get("v", [1]) is None
    assert [cache.get("v", [place])[0] for place in (0, 2, 3)] == [0, 2, 3]
    assert (cache.hits, cache.misses) == (4, 1)


def test_kinds_and_ids_are_apart():
    cache = ResultCache()
    cache.put("vector a", [1, 2], array(1))
    assert cache.get("vector b", [1, 2]) is None
    assert cache.get("vector a", [1]) is None
    assert cache.get("vector a", [12]) is None
    assert cache.get("vector a", (1, 2)) is not None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 200)), max_size=60))
def test_the_bytes_are_bounded_and_counted(puts):
    cache = ResultCache(max_bytes=2000)
    for id, size in puts:
        cache.put("v", [id], np.zeros(size, np.float32))
        assert cache.size <= 2000
    kept = dict(puts)
    there = {id: cache.get("v", [id]) for id in kept}
    found = {id: one for id, one in there.items() if one is not None}
    assert all(len(one) == kept[id] for id, one in found.items())
    assert cache.size == sum(one.nbytes + ENTRY_BYTES for one in found.values())
    assert len(cache) == len(found)
