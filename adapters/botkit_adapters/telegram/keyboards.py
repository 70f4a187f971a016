"""Buttons under a message (https://core.telegram.org/bots/api#inlinekeyboardmarkup)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botkit.errors import HandlerError
from botkit.replies import Button, Reply

DATA_BYTES = 64
"""Of a button's callback data."""

FEEDBACK = "botkit:feedback"
SUGGESTION = "suggestion"
_SEPARATOR = "|"
_THUMBS = (("👍", "positive"), ("👎", "negative"))


def pack_data(name: str, value: str) -> str:
    """Id and value of a button in one text.

    Raises:
        HandlerError: They do not fit, or the id holds the separator.
    """
    data = f"{name}{_SEPARATOR}{value}" if value else name
    if _SEPARATOR in name or not name or len(data.encode()) > DATA_BYTES:
        raise HandlerError(
            f"Telegram cannot carry the button {name!r}: its id must not be empty or hold "
            f"{_SEPARATOR!r}, and id and value together have {DATA_BYTES - 1} bytes"
        )
    return data


def unpack_data(data: str) -> tuple[str, str]:
    """Id and value of a button."""
    name, _, value = data.partition(_SEPARATOR)
    return name, value


def keyboard(reply: Reply) -> dict[str, Any] | None:
    """The inline keyboard of a reply, or None: buttons, suggestions, then thumbs.

    A suggestion too long to be carried is left out.

    Raises:
        HandlerError: A button cannot be carried.
    """
    rows = [[_button(button)] for button in reply.buttons]
    rows += [[each] for each in _suggestions(reply.suggestions)]
    if reply.feedback:
        rows.append(
            [{"text": thumb, "callback_data": pack_data(FEEDBACK, v)} for thumb, v in _THUMBS]
        )
    return {"inline_keyboard": rows} if rows else None


def _button(button: Button) -> dict[str, Any]:
    if button.url:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": pack_data(button.id, button.value)}


def _suggestions(texts: Sequence[str]) -> list[dict[str, Any]]:
    room = DATA_BYTES - len(SUGGESTION) - len(_SEPARATOR)
    return [
        {"text": text, "callback_data": pack_data(SUGGESTION, text)}
        for text in texts
        if 0 < len(text.encode()) <= room
    ]
