"""What a process remembers stays within its bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from botkit.cache.memory import OVERHEAD, MemoryReplies

LIMIT = 3 * OVERHEAD

names = st.sampled_from("abcdef")
steps = st.one_of(
    st.tuples(st.just("put"), names, st.integers(0, LIMIT), st.sampled_from([0.0, 1.0, 5.0])),
    st.tuples(st.just("get"), names),
    st.tuples(st.just("forget"), st.sampled_from(["odd", "even"])),
    st.tuples(st.just("drop"), names),
    st.tuples(st.just("wait"), st.floats(0, 3)),
    st.tuples(st.just("clear")),
)


@given(st.lists(steps, max_size=60))
def test_it_is_never_over_its_bound_and_never_wrong(taken: list[Any]) -> None:
    now = 0.0
    memory = MemoryReplies(LIMIT, clock=lambda: now)
    truth: dict[str, tuple[bytes, float, str]] = {}
    for number, (step, *given_) in enumerate(taken):
        if step == "put":
            name, size, seconds = given_
            kept = bytes([number % 256]) * size
            who = "odd" if number % 2 else "even"
            memory.put(name, kept, (who,), seconds)
            truth[name] = (kept, now + seconds, who)
        elif step == "get":
            kept_or_none = memory.get(given_[0])
            if kept_or_none is not None:
                kept, expires, _ = truth[given_[0]]
                assert kept_or_none == kept
                assert now < expires
        elif step == "forget":
            memory.forget(given_[0])
            for name in [name for name, (_, _, who) in truth.items() if who == given_[0]]:
                del truth[name]
                assert name not in memory
        elif step == "drop":
            memory.drop(given_[0])
            truth.pop(given_[0], None)
        elif step == "wait":
            now += given_[0]
        else:
            memory.clear()
            truth.clear()
        assert 0 <= memory.size <= LIMIT
        assert memory.size >= OVERHEAD * len(memory)
        assert (memory.size == 0) == (len(memory) == 0)


def test_what_was_not_asked_for_longest_goes_first() -> None:
    memory = MemoryReplies(2 * OVERHEAD + 10)
    memory.put("a", b"1", (), 60)
    memory.put("b", b"2", (), 60)
    assert memory.get("a") == b"1"
    memory.put("c", b"3", (), 60)
    assert [memory.get(name) for name in "abc"] == [b"1", None, b"3"]


def test_what_is_larger_than_everything_may_be_displaces_nothing() -> None:
    memory = MemoryReplies(2 * OVERHEAD)
    memory.put("a", b"1", (), 60)
    memory.put("b", bytes(2 * OVERHEAD), (), 60)
    assert memory.get("a") == b"1"
    assert memory.get("b") is None
