"""What flows in: an event, its conversation, its sender and its attachments.

An adapter makes events of whatever its platform sent; the store keeps them as JSON; a turn answers
them. What flows out is in :mod:`botkit.replies`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import quote, unquote

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

Json = Any
"""What ``json.dumps`` takes."""

EventKind = Literal["message", "command", "action", "feedback", "lifecycle"]
AttachmentKind = Literal["image", "audio", "video", "file"]


@dataclass(frozen=True, slots=True)
class ConversationKey:
    """What orders turns: turns of one conversation run one after another.

    Fields:
        platform: The adapter's name, as ``slack``.
        space: The workspace, or the bot itself where a platform has no workspaces.
        channel: The channel or chat.
        thread: The thread or topic in it; empty for the channel as a whole.
    """

    platform: str
    space: str
    channel: str
    thread: str = ""

    def __str__(self) -> str:
        """``platform:space:channel:thread``, each part percent-encoded; :meth:`parse` reads it."""
        return ":".join(
            quote(part, safe="-.@")
            for part in (self.platform, self.space, self.channel, self.thread)
        )

    @classmethod
    def parse(cls, text: str) -> ConversationKey:
        """The key that ``text`` writes.

        Raises:
            ValueError: It does not have four parts.
        """
        parts = [unquote(part) for part in text.split(":")]
        if len(parts) != 4:
            raise ValueError(f"{text!r} is not a conversation: platform:space:channel:thread")
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who caused an event.

    Fields:
        id: The platform's id of the person.
        name: How to call the person; empty when unknown.
        locale: A language tag such as ``pt-BR``; empty when unknown.
        timezone: An IANA name such as ``Europe/Lisbon``; empty when unknown.
    """

    id: str
    name: str = ""
    locale: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; its bytes are fetched through the adapter when needed.

    Fields:
        kind: What a model could do with it.
        id: The platform's handle, enough for the adapter to fetch it.
        name: The file's name; empty when unknown.
        media_type: As ``image/png``; empty when unknown.
        size: In bytes; None when unknown.
    """

    kind: AttachmentKind
    id: str
    name: str = ""
    media_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One inbound thing from a platform, normalised.

    Fields:
        id: The platform's id of this delivery, unique per platform and space.
        kind: ``message``, ``command``, ``action`` (a button), ``feedback`` or ``lifecycle``.
        conversation: What orders it.
        sender: Who caused it.
        text: What was said, with the bot's own mention removed; for a command its arguments.
        name: The command's name without its slash, the action's id, or the lifecycle's name
            (``started``, ``joined``, ``left``).
        value: The action's value; for feedback ``positive`` or ``negative``.
        message_id: The platform's id of the message; several deliveries may be about one message.
            For an action or feedback: of the message that carried the button.
        replaces: The platform's id of an earlier message of the sender which this one takes the
            place of: that one, and all that was said after it, is forgotten when this one is
            answered. What was done for it stays done.
        dedupe: Further ids, unique per platform and space, of which each is taken once. An event
            is new when neither its id nor any of these was seen.
        attachments: The files that came with it.
        unsupported: What the person sent that no text can stand for, as ``a sticker``; or empty.
        ambient: Said where the bot listens but not to the bot: taken only when the conversation
            exists already.
        direct: Nobody but the sender reads the conversation.
        sent_at: When the person sent it, in seconds since 1970; None when unknown.
        address: Whatever the adapter needs to answer; nobody else looks inside.
    """

    id: str
    kind: EventKind
    conversation: ConversationKey
    sender: Sender
    text: str = ""
    name: str = ""
    value: str = ""
    message_id: str = ""
    replaces: str = ""
    dedupe: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    unsupported: str = ""
    ambient: bool = False
    direct: bool = False
    sent_at: float | None = None
    address: Mapping[str, Json] = field(default_factory=dict)

    @property
    def seen_keys(self) -> tuple[str, ...]:
        """What marks this event as taken."""
        scope = f"{self.conversation.platform}:{self.conversation.space}"
        return tuple(f"{scope}:{key}" for key in (self.id, *self.dedupe))


@cache
def _event_adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Event)


def event_to_json(event: Event) -> str:
    """The event as JSON text; halves of characters, which JSON can write, become U+FFFD."""
    try:
        return _event_adapter().dump_json(event).decode()
    except PydanticSerializationError:
        return json.dumps(_whole(asdict(event)), ensure_ascii=False)


def _whole(value: Json) -> Json:
    """``value`` with text that can be encoded."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {_whole(key): _whole(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(part) for part in value]
    return value


def event_from_json(text: str | bytes) -> Event:
    """The event that :func:`event_to_json` wrote.

    Raises:
        ValueError: The text is something else.
    """
    return _event_adapter().validate_json(text)
