"""Rows to types and back. Runs in the caller's thread, so that the writer's only waits for disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter

from botkit.adapter import Outgoing
from botkit.completion.messages import Message
from botkit.store.types import Erase, Lease, QueuedEvent, TurnInput, TurnOutput, Work
from botkit.types import ConversationKey, Event, Json, Sender, event_from_json, event_to_json

HISTORY = 200
"""Messages that a turn starts from."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event ready to be inserted."""

    keys: tuple[str, ...]
    conversation: ConversationKey
    ambient: bool
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RawOutput:
    """A :class:`~botkit.store.types.TurnOutput` ready to be inserted.

    Fields:
        source: The platform's id of the message that led to it; empty when it had none.
    """

    messages: tuple[str, ...]
    state: str | None
    payloads: tuple[str, ...]
    feedback: tuple[Mapping[str, str], ...]
    notes: str | None
    profile: str | None
    profile_was: str | None
    erase: Erase | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class RawWork:
    """A :class:`~botkit.store.types.Work` as it was read.

    Fields:
        outgoing: id, payload, attempts, uncertain; or None.
        events: id, event, attempts, preview, received_at of each.
        history: The messages, oldest first.
        memory: summary, notes, profile, each as JSON or None.
    """

    conversation: ConversationKey
    token: int
    state: str = "{}"
    outgoing: tuple[Any, ...] | None = None
    events: tuple[tuple[Any, ...], ...] = ()
    history: tuple[str, ...] = ()
    memory: tuple[str | None, ...] = (None, None, None)


def dumps(value: Json) -> str:
    """JSON text in ASCII: no character that a database refuses is left in it."""
    return json.dumps(value, separators=(",", ":"))


def loads(text: str) -> Json:
    """The value that :func:`dumps` wrote."""
    return json.loads(text)


def new_event(event: Event) -> NewEvent:
    """The rows of an event."""
    try:
        text = event_to_json(event)
    except ValueError:  # half a surrogate pair, as a client may cut an emoji
        event = event_from_json(_clean(json.dumps(asdict(event), ensure_ascii=False)))
        text = event_to_json(event)
    return NewEvent(
        keys=tuple(dict.fromkeys(_clean(key) for key in event.seen_keys)),
        conversation=event.conversation,
        ambient=event.ambient,
        columns={
            "kind": event.kind,
            "sender_id": _clean(event.sender.id),
            "event": text,
            "replaces": _clean(event.replaces),
        },
    )


def _clean(text: str) -> str:
    """Without the two things that no database keeps in text: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def raw_output(output: TurnOutput) -> RawOutput:
    """The rows of a turn's output."""
    return RawOutput(
        messages=tuple(_message_text(message) for message in output.messages),
        state=None if output.state is None else dumps(dict(output.state)),
        payloads=tuple(dumps(payload) for payload in output.payloads),
        feedback=tuple(
            {key: _clean(value) for key, value in asdict(feedback).items()}
            for feedback in output.feedback
        ),
        notes=None if output.notes is None else dumps(dict(output.notes)),
        profile=None if output.profile is None else dumps(output.profile),
        profile_was=None if output.profile_was is None else dumps(output.profile_was),
        erase=output.erase,
    )


def _message_text(message: Message) -> str:
    return dumps(message.model_dump(exclude_unset=True))


def blank_event(text: str) -> str:
    """The event's JSON without anything that its sender said or is called."""
    event = event_from_json(text)
    nobody = Sender(event.sender.id)
    blank = replace(event, sender=nobody, text="", value="", attachments=(), unsupported="")
    return event_to_json(blank)


def moved_event(text: str, channel: str) -> str:
    """The event's JSON with another channel."""
    event = event_from_json(text)
    conversation = replace(event.conversation, channel=channel)
    return event_to_json(replace(event, conversation=conversation))


def work(raw: RawWork) -> Work:
    """The work that was read."""
    lease = Lease(raw.conversation, raw.token)
    if raw.outgoing is not None:
        return Work(lease, outgoing=outgoing(raw.outgoing))
    events = tuple(_queued(row) for row in raw.events)
    summary, notes, profile = (None if text is None else loads(text) for text in raw.memory)
    turn = TurnInput(events, messages(raw.history), loads(raw.state), summary, notes or {}, profile)
    return Work(lease, turn=turn)


def outgoing(row: tuple[Any, ...]) -> Outgoing:
    """Of id, payload, attempts, uncertain."""
    return Outgoing(int(row[0]), loads(row[1]), attempt=int(row[2]), uncertain=bool(row[3]))


def _queued(row: tuple[Any, ...]) -> QueuedEvent:
    preview = None if row[3] is None else loads(row[3])
    return QueuedEvent(int(row[0]), event_from_json(row[1]), int(row[2]), preview, float(row[4]))


def messages(texts: Sequence[str]) -> tuple[Message, ...]:
    """The messages that were kept; without those that this version of botkit cannot read."""
    return tuple(message for text in texts for message in _message(text))


@lru_cache(maxsize=4096)
def _message(text: str) -> tuple[Message, ...]:
    """One message, or none. Remembered: a conversation's messages are read at every turn."""
    try:
        return (_adapter().validate_json(text),)
    except ValueError:
        return ()


@cache
def _adapter() -> TypeAdapter[Message]:
    return TypeAdapter(Message)
