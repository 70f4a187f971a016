"""What recordings say in numbers: how long people waited, how many tokens, how many turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from botkit.console.recording import RecordedSpan, Recording

MINUTE = 60.0

TURN = "turn "
ATTEMPT = "attempt"
CHAT = "chat "
DELIVER = "deliver "


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of all requests to the model in a turn; ``cached`` are part of ``input``."""

    input: int = 0
    output: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of so many turns; None where there was none."""

    count: int
    p50: float | None
    p95: float | None


def number(span: RecordedSpan, name: str) -> float:
    """A number that a span tells; 0 where it tells none."""
    value = span.told(name)
    return float(value) if isinstance(value, int | float) else 0.0


def queued(recording: Recording) -> float:
    """Seconds from accepting the event to the turn."""
    return number(recording.root, "botkit.queue_seconds")


def first_token(recording: Recording) -> float | None:
    """Seconds from accepting the event to the first that the model wrote; None without one."""
    for chat in recording.named(CHAT):
        if chat.told("gen_ai.response.time_to_first_chunk") is not None:
            wrote = number(chat, "gen_ai.response.time_to_first_chunk")
            return queued(recording) + chat.began + wrote
    return None


def reply(recording: Recording) -> float | None:
    """Seconds from accepting the event to the first message that the platform took; None where
    none was sent by this process."""
    for sent in recording.named(DELIVER):
        if sent.told("botkit.outcome") == "sent" and sent.ended is not None:
            return queued(recording) + sent.ended
    return None


def tokens(recording: Recording) -> Tokens:
    """What the turn's requests used."""

    def total(name: str) -> int:
        return int(sum(number(chat, f"gen_ai.usage.{name}") for chat in recording.named(CHAT)))

    return Tokens(total("input_tokens"), total("output_tokens"), total("cache_read.input_tokens"))


def percentiles(
    recordings: Iterable[Recording], measure: Callable[[Recording], float | None]
) -> Percentiles:
    """The middle and the slow end of a measure (nearest rank)."""
    found = sorted(value for value in map(measure, recordings) if value is not None)
    return Percentiles(len(found), _at(found, 0.5), _at(found, 0.95))


def _at(ordered: Sequence[float], share: float) -> float | None:
    return ordered[int((len(ordered) - 1) * share + 0.5)] if ordered else None


def per_minute(recordings: Sequence[Recording], *, full: bool) -> float:
    """Turns that ended in the last minute; of a recorder that is ``full`` and reaches back less
    than that, as many as a minute would have."""
    now = time.perf_counter()
    ends = [now - each.zero - each.seconds for each in recordings if each.seconds is not None]
    recent = [age for age in ends if age < MINUTE]
    if full and recent and len(recent) == len(ends):
        return len(recent) * MINUTE / max(max(recent), 1.0)
    return float(len(recent))


def turns(recordings: Iterable[Recording]) -> list[Recording]:
    """Those of turns, and not of deliveries that came after one was forgotten."""
    return [each for each in recordings if each.root.name.startswith(TURN)]
