"""A reply as its entry in the feed: one, of whatever length."""

from __future__ import annotations

import base64
from typing import Any

from botkit.replies import Button, Reply
from botkit.types import Event, Json

STOPPED = "stopped"


def render(reply: Reply, event: Event, saved: Json | None) -> Json:
    """The payload.

    A conversation has one reader, so that what is for one person alone is an entry like others;
    and no list of conversations, so that titles are left out. Every answer to what was said can be
    rated: two small buttons disturb nobody here.
    """
    answers = event.kind == "message" and bool(reply.text.strip())
    entry: dict[str, Any] = {
        "role": "assistant",
        "reply_to": event.address.get("entry", ""),
        "text": reply.text,
        "buttons": [_button(button) for button in reply.buttons],
        "suggestions": list(reply.suggestions),
        "feedback": reply.feedback or answers,
        "stopped": bool(isinstance(saved, dict) and saved.get(STOPPED)),
    }
    return {
        "conversation": str(event.conversation),
        "entry": _filled(entry),
        "files": [
            {
                "name": file.name,
                "type": file.media_type,
                "data": base64.b64encode(file.data).decode(),
            }
            for file in reply.files
        ],
    }


def _button(button: Button) -> dict[str, Any]:
    fields = ("label", "id", "value", "url", "style")
    return _filled({name: getattr(button, name) for name in fields})


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
