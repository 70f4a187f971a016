"""Numbers of recorded turns."""

from __future__ import annotations

import time

from botkit.console import figures
from botkit.console.recorder import Recorder
from botkit.console.recording import Recording


def recorded(*ages: float) -> list[Recording]:
    """Turns that took a second and ended so many seconds ago."""
    recorder = Recorder()
    for _ in ages:
        recorder.begin("turn stage", botkit__queue_seconds=0.5).end()
    found = recorder.recordings()
    for each, age in zip(found, ages, strict=True):
        each.zero, each.root.ended = time.perf_counter() - age - 1.0, 1.0
    return found


def test_turns_of_the_last_minute_are_counted() -> None:
    assert figures.per_minute([], full=False) == 0
    assert figures.per_minute(recorded(1, 30, 59, 61, 500), full=False) == 3


def test_a_recorder_that_reaches_back_less_than_a_minute_is_scaled_up() -> None:
    found = recorded(*(number / 10 for number in range(100)))
    assert 590 < figures.per_minute(found, full=True) < 620
    assert figures.per_minute(found, full=False) == 100
    assert figures.per_minute(recorded(1, 70), full=True) == 1


def test_percentiles_are_of_what_there_is() -> None:
    found = recorded(*range(100))
    numbers = iter(range(100))
    assert figures.percentiles(found, lambda each: float(next(numbers))) == figures.Percentiles(
        100, 50.0, 94.0
    )
    assert figures.percentiles(found, lambda each: None) == figures.Percentiles(0, None, None)
    assert figures.percentiles(found[:1], figures.queued) == figures.Percentiles(1, 0.5, 0.5)


def test_waiting_counts_from_when_the_message_was_accepted() -> None:
    recorder = Recorder()
    with recorder.begin("turn stage", botkit__queue_seconds=2.0) as turn:
        for wrote in (0.25, 0.125):
            chat = turn.child("chat scripted")
            chat.set(
                gen_ai__response__time_to_first_chunk=wrote,
                gen_ai__usage__input_tokens=10,
                gen_ai__usage__output_tokens=3,
                gen_ai__usage__cache_read__input_tokens=4,
            )
            chat.end()
    for outcome in ("delayed", "sent", "sent"):
        sent = turn.child("deliver stage")
        sent.set(botkit__outcome=outcome)
        sent.end()
    late = recorder.begin("deliver stage")
    (kept,) = figures.turns(recorder.recordings())
    for span, (began, ended) in zip(
        kept.spans, [(0, 4), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)], strict=True
    ):
        span.began, span.ended = began, ended
    assert figures.first_token(kept) == 2.0 + 1 + 0.25
    assert figures.reply(kept) == 2.0 + 6
    assert figures.tokens(kept) == figures.Tokens(20, 6, 8)
    late.end()
