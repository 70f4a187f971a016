"""What the recorder keeps, what it passes on, and how much room it takes."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from seen_spans import Seen, facts

from botkit.console.recorder import Recorder
from botkit.console.recording import LONGEST_TEXT, MOST_ATTRIBUTES, Recording
from botkit.otel import OtelTracer
from botkit.spans import Span


@pytest.fixture
def seen() -> Seen:
    exporter = InMemorySpanExporter()
    return Seen(OtelTracer(exporter, "test-bot"), exporter)


def tree(recording: Recording) -> list[tuple[int | None, str]]:
    return [(span.parent, span.name) for span in recording.spans]


def test_a_turn_is_kept_as_a_tree() -> None:
    recorder = Recorder()
    with recorder.begin("turn stage", botkit__platform="stage", botkit__conversation="abc") as turn:
        with turn.child("middleware observe") as outer, outer.child("handler default") as inner:
            inner.set(botkit__rows=3, botkit__nothing=None)
        turn.child("commit", client=True).end()
    (kept,) = recorder.recordings()
    assert tree(kept) == [
        (None, "turn stage"),
        (0, "middleware observe"),
        (1, "handler default"),
        (0, "commit"),
    ]
    assert kept.conversation == "abc"
    assert kept.spans[2].attributes == {"botkit__rows": 3}
    assert kept.spans[2].told("botkit.rows") == 3
    assert [span.client for span in kept.spans] == [False, False, False, True]
    begins = [span.began for span in kept.spans]
    assert begins == sorted(begins)
    assert all(span.ended is not None and span.ended >= span.began for span in kept.spans)
    assert recorder.find(kept.id) is kept


def test_a_turn_under_way_is_seen() -> None:
    recorder = Recorder()
    turn = recorder.begin("turn stage")
    part = turn.child("attempt")
    (kept,) = recorder.recordings()
    assert kept.live
    assert recorder.running == 1
    assert kept.seconds is None
    assert kept.now > 0
    part.end()
    assert kept.spans[1].ended is not None
    turn.end()
    assert not kept.live
    assert recorder.running == 0


def test_what_is_delivered_after_the_turn_is_part_of_it() -> None:
    recorder = Recorder()
    turn = recorder.begin("turn stage")
    turn.end()
    with turn.child("deliver stage", client=True) as sent:
        sent.set(botkit__outcome="sent")
    (kept,) = recorder.recordings()
    assert kept.spans[1].told("botkit.outcome") == "sent"
    assert kept.spans[1].ended is not None
    assert kept.seconds is not None
    assert kept.spans[1].ended >= kept.seconds


def test_of_an_error_the_type_is_kept_and_its_words_are_not() -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="sesame"), recorder.begin("turn stage"):
        raise ValueError("sesame")
    cut = recorder.begin("turn stage")
    cut.end(asyncio.CancelledError())
    cut.end(ValueError())  # a second end changes nothing
    cut.set(botkit__outcome="late")
    last, first = recorder.recordings()
    assert (first.root.error, first.root.cancelled) == ("ValueError", False)
    assert (last.root.error, last.root.cancelled) == ("", True)
    assert last.root.told("botkit.outcome") is None


async def test_every_span_goes_on_to_the_tracer_behind(seen: Seen) -> None:
    recorder = Recorder(seen.tracer, spans=2)
    with recorder.begin("turn stage", botkit__events=1) as turn:
        turn.set(botkit__outcome="answered")
        with turn.child("handler default", client=True) as handler:
            handler.child("not kept").end(ValueError("sesame"))
    await recorder.flush(5)
    assert await seen.tree() == "turn stage\n  handler default\n    not kept"
    assert facts(await seen.one("turn stage")) == {
        "botkit.events": 1,
        "botkit.outcome": "answered",
    }
    assert facts(await seen.one("not kept")) == {"error.type": "ValueError"}
    (kept,) = recorder.recordings()
    assert kept.left_out == 1
    await recorder.aclose()


async def test_turns_at_the_same_time_are_told_apart() -> None:
    recorder = Recorder()

    async def run(number: int) -> None:
        with recorder.begin("turn stage", number=number) as turn:
            await asyncio.sleep(0)
            with turn.child("handler", number=number) as part:
                await asyncio.sleep(0.001)
                part.child("chat", number=number).end()

    await asyncio.gather(*(run(number) for number in range(100)))
    for kept in recorder.recordings():
        assert len(kept.spans) == 3
        assert len({span.told("number") for span in kept.spans}) == 1


def test_the_oldest_goes_and_what_is_under_way_stays() -> None:
    recorder = Recorder(turns=5)
    hanging = recorder.begin("turn hanging")
    for number in range(20):
        recorder.begin(f"turn {number}").end()
    names = [kept.root.name for kept in recorder.recordings()]
    assert names == ["turn 19", "turn 18", "turn 17", "turn 16", "turn hanging"]
    assert recorder.dropped == 16
    hanging.end()
    assert recorder.recordings()[-1].root.name == "turn hanging"


def test_turns_that_never_end_are_bounded_too() -> None:
    recorder = Recorder(turns=5)
    spans = [recorder.begin(f"turn {number}") for number in range(20)]
    assert recorder.running == 5
    for span in spans:  # those that went are no trouble
        span.child("late").end()
        span.end()
    assert len(recorder.recordings()) == 5
    assert recorder.running == 0


def test_spans_of_a_turn_are_bounded() -> None:
    recorder = Recorder(spans=10)
    with recorder.begin("turn stage") as turn:
        last: Span = turn
        for number in range(1000):
            last = turn.child(f"part {number}")
            last.child("of it").end()
            last.end()
    (kept,) = recorder.recordings()
    assert len(kept.spans) == 10
    assert kept.left_out == 2000 - 9
    assert last.child("more") is not None


def test_attributes_are_bounded() -> None:
    recorder = Recorder()
    with recorder.begin("turn stage") as turn:
        turn.set(**{f"name{number}": number for number in range(500)})
        turn.set(name0="x" * 100_000, names=("y" * 100_000,) * 500)
    (kept,) = recorder.recordings()
    assert len(kept.root.attributes) == MOST_ATTRIBUTES
    assert kept.root.told("name0") == "x" * LONGEST_TEXT


def test_bytes_are_bounded_and_nearly_what_they_are() -> None:
    recorder = Recorder(turns=100_000, size=1_000_000)
    for _ in range(2000):
        with recorder.begin("turn stage", text="x" * 200) as turn:
            for part in range(10):
                turn.child(f"part {part}", text=f"{part}" * 100, number=part).end()
    kept = recorder.recordings()
    assert recorder.size <= 1_000_000
    assert recorder.size == sum(each.size for each in kept)
    assert 50 < len(kept) < 2000
    assert 0.5 < _bytes(kept) / recorder.size < 2


def test_an_attribute_set_again_and_again_takes_no_more_room() -> None:
    recorder = Recorder()
    with recorder.begin("turn stage", text="x") as turn:
        before = recorder.size
        for number in range(10_000):
            turn.set(text=str(number % 10))
    assert recorder.size == before


def _bytes(kept: list[Recording]) -> int:
    """What objects take, each counted once."""
    found: dict[int, int] = {}
    waiting: list[object] = list(kept)
    while waiting:
        each = waiting.pop()
        if id(each) in found or isinstance(each, type):
            continue
        found[id(each)] = sys.getsizeof(each)
        waiting += gc.get_referents(each)
    return sum(found.values())
