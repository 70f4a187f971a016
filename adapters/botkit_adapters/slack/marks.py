"""Marks by which the bot's own messages are found again (https://docs.slack.dev/messaging/message-metadata)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Outgoing
from botkit.types import Event

REPLY = "botkit_reply"
PREVIEW = "botkit_preview"


def reply_mark(outgoing: Outgoing) -> str:
    """What tells this payload from every other, in this database and any."""
    digest = hashlib.sha256(json.dumps(outgoing.payload, sort_keys=True).encode()).hexdigest()
    return f"{outgoing.id}-{digest[:16]}"


def preview_mark(event: Event) -> str:
    """What tells the preview of the reply to ``event`` from every other."""
    return hashlib.sha256(f"{event.conversation} {event.id}".encode()).hexdigest()[:24]


def metadata(kind: str, mark: str) -> dict[str, Any]:
    """The argument that puts a mark on a message."""
    return {"event_type": kind, "event_payload": {"mark": mark}}


def mark_of(message: Mapping[str, Any]) -> str:
    """The mark on a message; empty where there is none."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("mark") or "")
