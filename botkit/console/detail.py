"""One conversation with everything that is kept about it, as the console shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botkit.console.recording import Recording
from botkit.console.shown import place, pretty, said, text, turn
from botkit.memory.summary import Summary
from botkit.types import ConversationKey, Json

CLOCKS_APART = 2.0
"""Seconds by which the database's clock and this process's may differ."""


def detail(
    key: ConversationKey, exported: Mapping[str, Any], recordings: Sequence[Recording], name: str
) -> dict[str, Json]:
    """A conversation.

    Args:
        key: Which.
        exported: What :meth:`botkit.store.Store.export` gives.
        recordings: Those of its turns that are kept, the latest first.
        name: What they call it.
    """
    replies = {each["message_id"]: said(each["payload"]) for each in exported["outbox"]}
    return {
        "conversation": place(key),
        "pseudonym": name,
        "created_at": exported["created_at"],
        "updated_at": exported["updated_at"],
        "messages": [_message(each, recordings) for each in exported["messages"]],
        "waiting": [_event(each) for each in exported["events"] if each["done_at"] is None],
        "deliveries": [_delivery(each) for each in exported["outbox"]],
        "feedback": [_feedback(each, replies) for each in reversed(exported["feedback"])],
        "dead_letters": [_letter(each) for each in reversed(exported["dead_letters"])],
        "state": pretty(exported["state"]) if exported["state"] else "",
        "notes": pretty(exported["notes"]) if exported["notes"] else "",
        "summary": text(str(Summary.from_json(exported["summary"]))),
        "turns": [turn(each, {name: key}) for each in recordings],
    }


def _message(entry: Mapping[str, Any], recordings: Sequence[Recording]) -> dict[str, Json]:
    message, at = entry["message"], entry["created_at"]
    return {
        "role": str(message.get("role", "")),
        "text": text(_content(message.get("content"))),
        "at": at,
        "turn": _made_by(at, recordings),
    }


def _content(content: Json) -> str:
    """The text of a message; of its other parts their kind."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [each for each in content if isinstance(each, dict)]
    return "\n".join(str(part.get("text") or f"[{part.get('type', 'part')}]") for part in parts)


def _made_by(at: float, recordings: Sequence[Recording]) -> str | None:
    """The turn that left a message: turns of a conversation run one after another, and a turn
    leaves its messages at its end."""
    ends = [
        (abs(each.at + each.seconds - at), each.id)
        for each in recordings
        if each.seconds is not None and each.root.told("botkit.outcome") == "answered"
    ]
    apart, found = min(ends, default=(CLOCKS_APART, ""))
    return found if apart < CLOCKS_APART else None


def _event(entry: Mapping[str, Any]) -> dict[str, Json]:
    event = entry["event"] if isinstance(entry["event"], dict) else {}
    return {
        "id": entry["id"],
        "kind": str(event.get("kind", "")),
        "text": text(said(event)),
        "attempts": entry["attempts"],
        "reason": entry["reason"] or "",
        "at": entry["received_at"],
    }


def _delivery(entry: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "id": entry["id"],
        "text": text(said(entry["payload"]) or pretty(entry["payload"])),
        "attempts": entry["attempts"],
        "uncertain": bool(entry["uncertain"]),
        "reason": entry["reason"] or "",
        "message_id": entry["message_id"] or "",
        "at": entry["created_at"],
        "done_at": entry["done_at"],
    }


def _feedback(entry: Mapping[str, Any], replies: Mapping[str, str]) -> dict[str, Json]:
    return {
        "at": entry["at"],
        "value": entry["value"],
        "comment": text(entry["comment"]),
        "sender": entry["sender_id"],
        "reply": text(replies.get(entry["message_id"], "")),
    }


def _letter(entry: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "id": entry["id"],
        "kind": entry["kind"],
        "reason": entry["reason"],
        "at": entry["at"],
        "text": text(said(entry["content"])),
        "content": pretty(entry["content"]),
    }
