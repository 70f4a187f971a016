"""What the store hands out and takes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from botkit.adapter import Outgoing
from botkit.completion.messages import Message
from botkit.types import ConversationKey, Event, Json

Erase = Literal["conversation", "person"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one conversation.

    Fields:
        conversation: Which one.
        token: The fencing token: it grows with every lease of the conversation, and only the
            newest may commit.
    """

    conversation: ConversationKey
    token: int


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """One event of the inbox.

    Fields:
        id: Its place in the inbox.
        event: The event.
        attempts: How often a turn has taken it, this time included.
        preview: What an earlier attempt saved of its preview, or None.
        received_at: When it was accepted, in seconds since 1970.
    """

    id: int
    event: Event
    attempts: int
    preview: Json | None
    received_at: float


@dataclass(frozen=True, slots=True)
class TurnInput:
    """What a turn starts from.

    Fields:
        events: What to answer, oldest first; more than one only where messages are merged.
        history: The conversation's last messages that are not in the summary, oldest first.
        state: The conversation's durable state.
        summary: What was said before them; None when nothing was.
        notes: What the middleware noted in earlier turns.
        profile: What is kept about the person who speaks; None when nothing is.
    """

    events: tuple[QueuedEvent, ...]
    history: tuple[Message, ...]
    state: Mapping[str, Json]
    summary: Json | None = None
    notes: Mapping[str, Json] = field(default_factory=dict)
    profile: Json | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What to do next under a lease: deliver ``outgoing`` or else run ``turn``; never both."""

    lease: Lease
    outgoing: Outgoing | None = None
    turn: TurnInput | None = None


@dataclass(frozen=True, slots=True)
class TurnOutput:
    """What a finished turn leaves.

    Fields:
        messages: What to add to the history.
        state: The conversation's new state; None leaves it as it is.
        payloads: What to send, in order.
        feedback: What people said about earlier replies.
        notes: The middleware's new notes; None leaves them as they are.
        profile: What is now kept about the person; None leaves it as it is.
        profile_was: Keep it only where this is still kept; None keeps it in any case.
        erase: Before the rest is kept, erase what was said in the conversation (``conversation``),
            or everything about the person wherever it is (``person``).
    """

    messages: tuple[Message, ...] = ()
    state: Mapping[str, Json] | None = None
    payloads: tuple[Json, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    notes: Mapping[str, Json] | None = None
    profile: Json | None = None
    profile_was: Json | None = None
    erase: Erase | None = None


@dataclass(frozen=True, slots=True)
class Unsummarized:
    """What a summary may be made of.

    Fields:
        row_id: The conversation's row: one that was erased and begun anew is another.
        version: Of its memory.
        summary: What there is; None when nothing is.
        messages: Those that are not in it, oldest first, each with its id.
    """

    row_id: int
    version: int
    summary: Json | None
    messages: tuple[tuple[int, Message], ...]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said about a reply: ``positive``, ``negative``, or a platform's own value; and
    why, where they told."""

    message_id: str
    sender_id: str
    value: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class GivenFeedback:
    """What a person said about a reply of a conversation, and when, in seconds since 1970."""

    conversation: ConversationKey
    feedback: Feedback
    at: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A payload was taken by the platform."""

    outgoing: Outgoing
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Delayed:
    """A payload is to be tried again in ``retry_in`` seconds.

    ``uncertain`` when the platform may have taken it all the same; ``refund`` when it was not even
    tried, so that the attempt does not count.
    """

    outgoing: Outgoing
    reason: str
    retry_in: float
    uncertain: bool = False
    refund: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A payload will never be taken: it becomes a dead letter."""

    outgoing: Outgoing
    reason: str


DeliveryResult = Sent | Delayed | Refused


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event or a payload that was given up.

    Fields:
        id: Its number.
        kind: ``turn`` (no handler could answer the event) or ``delivery`` (the platform never took
            the payload).
        conversation: Whose it was.
        reason: Why it was given up.
        at: When, in seconds since 1970.
        content: The event or payload, as JSON.
    """

    id: int
    kind: str
    conversation: ConversationKey
    reason: str
    at: float
    content: Json


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One conversation, as lists show it. Times in seconds since 1970."""

    conversation: ConversationKey
    messages: int
    queued: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of accepted events.

    Fields:
        new: How many were new; the others had been seen, or were ambient in no conversation.
        duplicates: How many had been seen.
        work: Conversations leased to the caller in the same transaction.
    """

    new: int = 0
    duplicates: int = 0
    work: tuple[Work, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much waits.

    Fields:
        queued: Events in the inbox not answered yet.
        unsent: Payloads in the outbox not sent yet.
        dead: Dead letters.
        oldest_seconds: Age of the oldest event waiting; 0 when none does.
    """

    queued: int = 0
    unsent: int = 0
    dead: int = 0
    oldest_seconds: float = 0.0
