"""From a reply to payloads, one per Telegram message; pure.

A payload is the call's method and arguments; ``edit`` names the preview that it replaces. Text goes
out with entities, never with a parse mode: a model's Markdown is seldom what MarkdownV2 takes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botkit.replies import File, Reply
from botkit.types import Json
from botkit_adapters.telegram.keyboards import keyboard

TEXT_UNITS = 4096
"""Of one message, in UTF-16 code units (https://core.telegram.org/bots/api#sendmessage)."""

EMPTY = "…"
"""Stands where buttons need a message to hang on and there is no text."""

REMOVE = "deleteMessage"
"""The method of a payload that takes a placeholder away."""

Entity = dict[str, Any]


def render(reply: Reply, address: Mapping[str, Any], saved: Json | None) -> list[Json]:
    """The payloads of a reply: its text in as many messages as it needs, then its files.

    The first replaces the placeholder ``saved``. Where none can it is removed first; and so it is
    when an edit of it may still be carried out, which would overwrite the reply.

    Raises:
        HandlerError: A button cannot be carried.
    """
    buttons = keyboard(reply)
    text = reply.text if reply.text.strip() or not buttons else EMPTY
    pieces = split(text) if text.strip() else []
    payloads = [
        _text(address, piece, entities, first=at == 0)
        for at, (piece, entities) in enumerate(pieces)
    ]
    if payloads and buttons:
        payloads[-1]["arguments"]["reply_markup"] = buttons
    if saved and saved["message_id"] is not None:
        if payloads and not saved.get("unsettled"):
            payloads[0]["edit"] = saved["message_id"]
        else:
            gone = {"chat_id": address["chat"], "message_id": saved["message_id"]}
            payloads.insert(0, {"method": REMOVE, "arguments": gone})
    return [*payloads, *(_file(address, file) for file in reply.files)]


def split(text: str) -> list[tuple[str, list[Entity]]]:
    """Markdown as texts with entities, each within the limit, cut at line ends where possible."""
    from telegramify_markdown import convert, split_entities

    plain, entities = convert(text, config=_config())
    if not plain.strip():
        plain, entities = text, []
    return [
        (piece, [entity.to_dict() for entity in part])
        for piece, part in split_entities(plain, entities, TEXT_UNITS)
        if piece.strip()
    ]


@cache
def _config() -> Any:
    """Headings are bold, without the library's emoji before them."""
    from telegramify_markdown.config import RenderConfig

    config = RenderConfig.isolated()
    for level in range(1, 7):
        setattr(config.markdown_symbol, f"heading_level_{level}", "")
    return config


def _text(
    address: Mapping[str, Any], text: str, entities: Sequence[Entity], *, first: bool
) -> dict[str, Any]:
    arguments: dict[str, Any] = {"text": text}
    if entities:
        arguments["entities"] = list(entities)
    return {"method": "sendMessage", "arguments": {**_where(address, first=first), **arguments}}


_FILE_METHODS = {"image/jpeg": "sendPhoto", "image/png": "sendPhoto", "audio/ogg": "sendVoice"}
_FILE_FIELDS = {"sendPhoto": "photo", "sendVoice": "voice", "sendAudio": "audio"}


def _file(address: Mapping[str, Any], file: File) -> dict[str, Any]:
    audio = file.media_type.startswith("audio/")
    method = _FILE_METHODS.get(file.media_type, "sendAudio" if audio else "sendDocument")
    return {
        "method": method,
        "arguments": _where(address, first=False),
        "file": {
            "field": _FILE_FIELDS.get(method, "document"),
            "name": file.name,
            "media_type": file.media_type,
            "data": base64.b64encode(file.data).decode(),
        },
    }


def _where(address: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    where: dict[str, Any] = {"chat_id": address["chat"]}
    if address.get("topic"):
        where["message_thread_id"] = address["topic"]
    if first and address.get("reply_to"):
        where["reply_parameters"] = {
            "message_id": address["reply_to"],
            "allow_sending_without_reply": True,
        }
    return where
