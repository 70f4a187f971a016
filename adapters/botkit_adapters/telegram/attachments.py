"""The files of a message, and what no text can stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botkit.types import Attachment, AttachmentKind

_FILES: Mapping[str, AttachmentKind] = {
    "voice": "audio",
    "audio": "audio",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "document": "file",
}

_UNSUPPORTED: Mapping[str, str] = {
    "sticker": "a sticker",
    "poll": "a poll",
    "venue": "a place",
    "location": "a location",
    "contact": "a contact",
    "dice": "a dice",
    "game": "a game",
    "story": "a story",
    "invoice": "an invoice",
    "checklist": "a checklist",
    "paid_media": "paid media",
    "giveaway": "a giveaway",
    "rich_message": "a rich message",
}


def attachments(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The message's file; of a photo the largest size."""
    sizes = message.get("photo")
    if isinstance(sizes, list) and sizes:
        largest = max(sizes, key=lambda size: size.get("width", 0) * size.get("height", 0))
        return (_attachment("image", largest, "photo.jpg", "image/jpeg"),)
    for name, kind in _FILES.items():
        given = message.get(name)
        if isinstance(given, dict):
            media_type = str(given.get("mime_type") or "")
            image = name == "document" and media_type.startswith("image/")
            return (_attachment("image" if image else kind, given, name, media_type),)
    return ()


def _attachment(
    kind: AttachmentKind, given: Mapping[str, Any], name: str, media_type: str
) -> Attachment:
    size = given.get("file_size")
    return Attachment(
        kind,
        str(given["file_id"]),
        str(given.get("file_name") or name),
        media_type,
        int(size) if size is not None else None,
    )


def unsupported(message: Mapping[str, Any]) -> str:
    """What the message brings that the bot cannot read, in words; or empty."""
    return next((words for name, words in _UNSUPPORTED.items() if message.get(name)), "")
