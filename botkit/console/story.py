"""A turn in sentences: why its reply was begun anew, came from the cache, was refused or slow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from botkit.console.figures import ATTEMPT, CHAT, DELIVER, TURN, number, queued
from botkit.console.recording import RecordedSpan, Recording

Mood = Literal["note", "again", "slow", "refused", "failed"]

LONG_WAIT = 1.0
LONG_TURN = 1.0
"""Seconds after which it is worth saying where they went."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is worth knowing about a turn.

    Fields:
        mood: How to take it.
        text: A sentence.
        span: The number of the span that says so.
    """

    mood: Mood
    text: str
    span: int


def story(recording: Recording) -> list[Finding]:
    """What is worth knowing, in the order in which it happened."""
    parts = (_beginning, _layers, _attempts, _chats, _deliveries, _end, _slowest)
    return [finding for part in parts for finding in part(recording)]


def _beginning(recording: Recording) -> Iterator[Finding]:
    root = recording.root
    waited, attempt = queued(recording), number(root, "botkit.attempt")
    events = int(number(root, "botkit.events"))
    if waited >= LONG_WAIT:
        yield Finding("slow", f"It waited {waited:.1f} s before a turn took it.", 0)
    if root.told("botkit.again"):
        yield Finding("again", f"This is try {attempt:.0f}: an earlier one did not end.", 0)
    if events > 1:
        yield Finding("note", f"It answers {events} messages together.", 0)


def _layers(recording: Recording) -> Iterator[Finding]:
    silent = True
    for span in recording.spans:
        if limit := span.told("botkit.limited"):
            silent = False
            yield Finding("refused", f"A limit refused it: {limit}.", span.number)
        if direction := span.told("botkit.flagged"):
            silent = False
            what = "what the person wrote" if direction == "input" else "what the bot would say"
            yield Finding("refused", f"Moderation stopped {what}.", span.number)
        if reason := span.told("botkit.gave_up"):
            text = f"No attempt passed ({reason}): the fallback or the hand-off answered."
            yield Finding("refused", text, span.number)
        if _failed_itself(recording, span):
            yield Finding("failed", f"“{span.name}” failed: {span.error}.", span.number)
    layers = list(recording.named("middleware "))
    if silent and layers and not recording.live and not any(recording.named("handler ")):
        last = layers[-1]
        if not last.error and not last.cancelled:
            text = f"No handler was called: the {last.name} answered."
            yield Finding("note", text, last.number)


def _attempts(recording: Recording) -> Iterator[Finding]:
    for span in recording.named(ATTEMPT):
        which = f"Attempt {number(span, 'botkit.attempt') + 1:.0f}"
        cache = span.told("botkit.cache")
        if cache == "hit":
            yield Finding("note", f"{which} came from the cache: no model was asked.", span.number)
        elif cache == "shared":
            text = f"{which} shares the reply to an equal question at the same time."
            yield Finding("note", text, span.number)
        if span.told("botkit.passed") is False:
            reason = span.told("botkit.reason") or "no reason was given"
            yield Finding("again", f"{which} did not pass: {reason}.", span.number)
        if sum(not each.error for each in _children(recording, span, CHAT)) > 1:
            text = f"{which} was cut off by the limit of tokens, and continued."
            yield Finding("note", text, span.number)


def _chats(recording: Recording) -> Iterator[Finding]:
    for span in recording.named(CHAT):
        if span.error:
            yield Finding("failed", f"The model could not answer: {span.error}.", span.number)
        elif span.cancelled:
            yield Finding("note", "The request to the model was called off.", span.number)
        wrote = number(span, "gen_ai.response.time_to_first_chunk")
        if wrote >= LONG_WAIT:
            text = f"The model took {wrote:.1f} s to its first token."
            yield Finding("slow", text, span.number)


def _deliveries(recording: Recording) -> Iterator[Finding]:
    for span in recording.named(DELIVER):
        attempt, outcome = number(span, "botkit.attempt"), span.told("botkit.outcome")
        platform = span.name.removeprefix(DELIVER)
        if outcome == "delayed":
            text = f"{platform} did not take the message (try {attempt:.0f}): it is sent again."
            yield Finding("again", text, span.number)
        elif outcome == "refused":
            yield Finding("failed", f"{platform} refused the message for good.", span.number)
        elif attempt > 1:
            text = f"{platform} took the message at try {attempt:.0f}."
            yield Finding("note", text, span.number)


_OUTCOMES: dict[str, tuple[Mood, str]] = {
    "retried": ("again", "The turn failed, and is tried again later."),
    "dead": ("failed", "The turn was given up: it is a dead letter."),
    "interrupted": ("note", "Another message came: both are answered together."),
}


def _end(recording: Recording) -> Iterator[Finding]:
    root = recording.root
    known = _OUTCOMES.get(str(root.told("botkit.outcome")))
    if known is not None:
        yield Finding(*known, 0)
    elif root.name.startswith(TURN) and root.cancelled:
        yield Finding("failed", "The turn was cut off: the bot stopped, or lost its lease.", 0)
    elif root.error and root.name.startswith(TURN):
        yield Finding("failed", f"The turn failed: {root.error}.", 0)


def _slowest(recording: Recording) -> Iterator[Finding]:
    """Where most of a long turn went: into a span's own work, not that of its parts."""
    seconds = recording.seconds
    if seconds is None or seconds < LONG_TURN:
        return
    own = [own_seconds(recording, span) for span in recording.spans]
    longest = max(range(len(own)), key=own.__getitem__)
    name = recording.spans[longest].name
    text = f"“{name}” took {own[longest]:.1f} s of {seconds:.1f} s."
    yield Finding("slow", text, longest)


def own_seconds(recording: Recording, span: RecordedSpan) -> float:
    """What a span took without its parts; parts at the same time count once."""
    ended = recording.now if span.ended is None else span.ended
    total, reached = ended - span.began, span.began
    for part in recording.spans:
        if part.parent == span.number and part.began < ended:
            until = min(recording.now if part.ended is None else part.ended, ended)
            total -= max(0.0, until - max(part.began, reached))
            reached = max(reached, until)
    return max(0.0, total)


def _children(recording: Recording, span: RecordedSpan, prefix: str) -> list[RecordedSpan]:
    return [each for each in recording.named(prefix) if each.parent == span.number]


def _failed_itself(recording: Recording, span: RecordedSpan) -> bool:
    """Whether an error began here, and was not passed on by a part; of what a model or a platform
    did is told elsewhere."""
    if not span.error or span.parent is None or span.name.startswith((CHAT, DELIVER)):
        return False
    return not any(each.error for each in recording.spans if each.parent == span.number)
