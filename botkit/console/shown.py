"""What the console shows, as JSON values: recordings, conversations, feedback, dead letters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botkit.console import figures
from botkit.console.recording import RecordedSpan, Recording
from botkit.console.story import own_seconds, story
from botkit.store import ConversationSummary, DeadLetter, GivenFeedback
from botkit.types import ConversationKey, Json

LONGEST_TEXT = 20_000
"""Characters that are shown of a message or a value."""


def text(value: str) -> str:
    """As much as is shown of a text."""
    if len(value) <= LONGEST_TEXT:
        return value
    return f"{value[:LONGEST_TEXT]} … [{len(value) - LONGEST_TEXT} more characters]"


def pretty(value: Json) -> str:
    """A value as text to read."""
    return text(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def place(key: ConversationKey | None) -> Json:
    """A conversation's key, and its parts; None where it is not known."""
    if key is None:
        return None
    parts = {"space": key.space, "channel": key.channel, "thread": key.thread}
    return {"key": str(key), "platform": key.platform, **parts}


def turn(recording: Recording, keys: Mapping[str, ConversationKey]) -> dict[str, Json]:
    """A recording in a list."""
    root = recording.root
    used = figures.tokens(recording)
    attempts = list(recording.named(figures.ATTEMPT))
    return {
        "id": recording.id,
        "name": root.name,
        "platform": root.told("botkit.platform") or root.name.rpartition(" ")[2],
        "conversation": place(keys.get(recording.conversation)),
        "pseudonym": recording.conversation,
        "kind": root.told("botkit.event.kind"),
        "at": recording.at,
        "live": recording.live,
        "seconds": recording.seconds,
        "so_far": recording.now,
        "queue_seconds": figures.queued(recording),
        "outcome": root.told("botkit.outcome") or ("" if recording.live else _ended(root)),
        "error": root.error,
        "try": root.told("botkit.attempt"),
        "attempts": len(attempts),
        "failed_attempts": sum(each.told("botkit.passed") is False for each in attempts),
        "cache": next((c for each in attempts if (c := each.told("botkit.cache"))), None),
        "refused": next((r for span in recording.spans if (r := _refused(span))), None),
        "first_token": figures.first_token(recording),
        "reply": figures.reply(recording),
        "tokens": {"input": used.input, "output": used.output, "cached": used.cached},
    }


def timeline(recording: Recording, keys: Mapping[str, ConversationKey]) -> dict[str, Json]:
    """A recording with all its spans, each after what it is part of."""
    return {
        **turn(recording, keys),
        "left_out": recording.left_out,
        "story": [
            {"mood": each.mood, "text": each.text, "span": each.span} for each in story(recording)
        ],
        "spans": [_span(recording, span, depth) for span, depth in _tree(recording)],
        # What was sent after the turn's end is part of what is seen.
        "length": max(recording.now if s.ended is None else s.ended for s in recording.spans),
    }


def conversation(summary: ConversationSummary, recordings: Sequence[Recording]) -> dict[str, Json]:
    """A conversation in a list, with what is kept of its turns."""
    return {
        "conversation": place(summary.conversation),
        "messages": summary.messages,
        "queued": summary.queued,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
        "turns": len(recordings),
        "live": sum(each.live for each in recordings),
    }


def feedback(given: GivenFeedback) -> dict[str, Json]:
    """What somebody said about a reply."""
    said = given.feedback
    return {
        "conversation": place(given.conversation),
        "at": given.at,
        "value": said.value,
        "comment": text(said.comment),
        "sender": said.sender_id,
        "message_id": said.message_id,
    }


def dead_letter(letter: DeadLetter) -> dict[str, Json]:
    """What was given up."""
    return {
        "id": letter.id,
        "kind": letter.kind,
        "conversation": place(letter.conversation),
        "reason": letter.reason,
        "at": letter.at,
        "text": text(said(letter.content)),
        "content": pretty(letter.content),
    }


def said(content: Json) -> str:
    """What an event or a payload says, where it says it in the usual place."""
    found = content.get("text") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def _ended(root: RecordedSpan) -> str:
    if not root.name.startswith(figures.TURN):
        return ""
    return "cut off" if root.cancelled else "failed" if root.error else ""


def _refused(span: RecordedSpan) -> Any:
    return span.told("botkit.limited") or span.told("botkit.flagged")


def _tree(recording: Recording) -> list[tuple[RecordedSpan, int]]:
    children: dict[int | None, list[RecordedSpan]] = {}
    for span in recording.spans:
        children.setdefault(span.parent, []).append(span)
    ordered, waiting = [], [(recording.root, 0)]
    while waiting:
        span, depth = waiting.pop()
        ordered.append((span, depth))
        waiting += [(each, depth + 1) for each in reversed(children.get(span.number, ()))]
    return ordered


def _span(recording: Recording, span: RecordedSpan, depth: int) -> dict[str, Json]:
    return {
        "number": span.number,
        "depth": depth,
        "name": span.name,
        "client": span.client,
        "began": span.began,
        "ended": span.ended,
        "own": own_seconds(recording, span),
        "error": span.error,
        "cancelled": span.cancelled,
        "attributes": {name.replace("__", "."): each for name, each in span.attributes.items()},
    }
