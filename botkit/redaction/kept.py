"""What the store keeps of a conversation, redacted: nothing else of it is ever written."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from botkit.redaction import redacted
from botkit.types import Attachment, Event, Json

MessageT = TypeVar("MessageT", bound=BaseModel)

_NAMES = frozenset({"role", "type", "id", "tool_call_id"})
"""Fields of a message that no person fills."""

_SHOWN = frozenset({"text", "name", "label", "comment"})
"""Fields of a feed's entry that a person may have filled."""


def redacted_event(event: Event) -> Event:
    """The event as it is kept. Its ids and its address stay: they say where an answer goes."""
    return replace(
        event,
        text=redacted(event.text),
        name=redacted(event.name),
        value=redacted(event.value),
        unsupported=redacted(event.unsupported),
        sender=replace(event.sender, name=redacted(event.sender.name)),
        attachments=tuple(_attachment(each) for each in event.attachments),
    )


def _attachment(attachment: Attachment) -> Attachment:
    """An address to fetch it from may end with the file's name; one that tells something is lost,
    and the file with it."""
    folder, slash, name = attachment.id.rpartition("/")
    address = f"{folder}{slash}{redacted(name)}" if "://" in folder else attachment.id
    return replace(attachment, id=address, name=redacted(attachment.name))


def redacted_entry(value: Json) -> Json:
    """What a feed keeps to show: everything that a person may have written."""
    if isinstance(value, dict):
        return {
            key: redacted(part) if key in _SHOWN and isinstance(part, str) else redacted_entry(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(each) if isinstance(each, str) else redacted_entry(each) for each in value]
    return value


def redacted_message(message: MessageT) -> MessageT:
    """The message as it is remembered."""
    return type(message).model_validate(_redacted(message.model_dump(exclude_unset=True)))


def _redacted(value: Json) -> Json:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: part if key in _NAMES else _redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(part) for part in value]
    return value
