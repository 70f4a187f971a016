"""The adapter interface: one platform. Parse in, deliver out, stream; nothing else.

An adapter turns what its platform sends into events and hands them to its :class:`Intake`, which
returns once they are on disk; only then does the adapter answer the platform. The worker later
asks it to show a reply while it is written (:class:`Preview`), to render the finished reply into
payloads, one per message on the platform, and to deliver each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from botkit.feed import Feed
from botkit.replies import Reply
from botkit.types import Attachment, Event, Json, Sender

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


@dataclass(frozen=True, slots=True)
class AdapterRoute:
    """A path that the adapter answers itself: no API key is asked, any content type may come.

    Fields:
        method, path, handler: As aiohttp has them.
        raw: The handler reads the body, within bounds of its own.
    """

    method: str
    path: str
    handler: Handler
    raw: bool = False


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """A command, as platforms list them: the name without a slash, and one line about it."""

    name: str
    description: str


HUMAN = "human"
"""The command that asks for a person; where it is there, widgets offer it."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One payload of the outbox.

    Fields:
        id: Steady across attempts; platforms that let a sender mark messages may carry it.
        payload: As :meth:`Adapter.render` made it.
        attempt: 1 for the first.
        uncertain: An earlier attempt may have been taken by the platform.
    """

    id: int
    payload: Json
    attempt: int = 1
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform took a payload; ``message_id`` is its id there, empty where it has none."""

    message_id: str = ""


PERSON = "person:"
"""Records whose keys begin with this, a person's id and ``:`` are erased with the person."""


CONVERSATION = "conversation:"
"""Records whose keys begin with this, a conversation's key as text and ``:`` are erased with the
conversation, and when it begins anew. Retention does not know of them: let them expire."""


class Records(Protocol):
    """Durable values of an adapter: installations, offsets, profiles. Keys are text, values JSON.

    Every method raises :class:`botkit.errors.StoreError`.
    """

    async def get(self, key: str) -> Json | None:
        """The value, or None when there is none or it has expired."""
        ...

    async def put(self, key: str, value: Json, *, expires_in: float | None = None) -> None:
        """Set a value, for ``expires_in`` seconds or until it is deleted."""
        ...

    async def setdefault(self, key: str, value: Json) -> Json:
        """What is kept under the key: ``value``, unless something was there already."""
        ...

    async def take(self, key: str) -> Json | None:
        """Delete the value and return it; of concurrent callers one gets it."""
        ...

    async def delete(self, prefix: str) -> int:
        """Delete every key that begins with ``prefix``; how many."""
        ...

    async def keys(self, prefix: str) -> list[str]:
        """The keys that begin with ``prefix``, in order."""
        ...


class Intake(Protocol):
    """What an adapter gets of the bot."""

    @property
    def records(self) -> Records:
        """The adapter's own durable values."""
        ...

    @property
    def feed(self) -> Feed:
        """What conversations show, for platforms that keep nothing themselves."""
        ...

    @property
    def commands(self) -> Sequence[CommandHelp]:
        """The commands that the bot's handlers answer."""
        ...

    async def accept(self, events: Sequence[Event]) -> None:
        """Take events: they are on disk when this returns, and those seen before are dropped.

        Raises:
            StoreError: They could not be kept; the platform must hear a 5xx and send again.
        """
        ...

    async def moved(self, space: str, channel: str, new_channel: str) -> None:
        """A channel goes on under another id: its conversations follow."""
        ...

    def count(self, what: str, reason: str = "") -> None:
        """Count something that needs no turn, as ``ignored`` with the reason ``edited``."""
        ...


class Preview(Protocol):
    """A reply as people see it while it is written. Disposable: only the delivered reply counts.

    No method raises, cancellation aside: a preview that fails shows less, and that is all.
    """

    async def update(self, text: str) -> None:
        """Show ``text``, the whole reply so far; returns soon, the adapter chooses the pace."""
        ...

    async def close(self) -> None:
        """Stop; the reply that is delivered next replaces what is shown, if anything is.

        A call that is under way is waited for, within bounds: it must not arrive after the reply.
        """
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A preview where the person can say that it is enough."""

    async def stopped(self) -> None:
        """Return when the person wants the writing ended: what is shown is then the reply."""
        ...


SavePreview = Callable[[Json], Awaitable[None]]
Holds = Callable[[], bool]
"""Whether the conversation is still this process's. A process that froze for longer than its lease
wakes up in the middle of anything: ask right before each call that people would see."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can show.

    Fields:
        streams: :meth:`Adapter.preview` shows a reply while it is written.
        finds: :meth:`Adapter.find` can tell whether a payload was taken.
    """

    streams: bool = False
    finds: bool = False


class Adapter(Protocol):
    """One platform."""

    @property
    def name(self) -> str:
        """The platform's name, as it stands in conversation keys: lower-case letters."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the platform can show."""
        ...

    def routes(self, intake: Intake) -> Sequence[AdapterRoute]:
        """The paths to answer. Must be quick: heavy imports wait for the first request."""
        ...

    async def start(self, intake: Intake) -> None:
        """Begin polling or open sockets, tell the platform the commands; return soon.

        Called once the server listens. What takes long or may fail goes on in the background.

        Raises:
            BotkitError: The bot cannot work like this, as with a wrong token.
        """
        ...

    async def drain(self) -> None:
        """The server stops: end what would hold it up, as responses that last; what still runs is
        delivered meanwhile."""
        ...

    async def aclose(self) -> None:
        """Stop taking events and close every connection."""
        ...

    async def working(self, event: Event) -> None:
        """Show that an answer is under way (typing, a status); runs beside the turn and is
        cancelled when it ends. Confirms button presses where the platform waits for that."""
        ...

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        """Show the reply to ``event`` while it is written.

        Args:
            event: What is answered.
            saved: What an earlier attempt saved: go on in that message instead of a new one.
            save: Call it with what a later attempt needs, once there is something on show.
            holds: Show nothing more once it says no.
        """
        ...

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> Sequence[Json]:
        """The payloads that show ``reply``, in order, each small enough for one message.

        Pure. ``saved`` is the preview that the first payload replaces, or None. Where none can,
        as for an empty reply, a payload removes the preview.
        """
        ...

    async def pace(self, outgoing: Outgoing) -> None:
        """Return when the platform lets a message leave for where ``outgoing`` goes.

        Nothing is sent, and no attempt is counted.

        Raises:
            DeliveryDelayedError: That takes longer than is worth holding the conversation for.
        """
        ...

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload.

        Raises:
            DeliveryDelayedError: Certainly not taken; may be tried again after a while.
            DeliveryUncertainError: May have been taken or not.
            DeliveryRefusedError: Will never be taken.
        """
        ...

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """Whether the platform took ``outgoing`` in an earlier attempt (``capabilities.finds``).

        Raises:
            DeliveryError: Nobody can tell now.
        """
        ...

    async def fetch(self, event: Event, attachment: Attachment) -> bytes:
        """The bytes of an attachment.

        Raises:
            DeliveryError: It cannot be had; the message says why in words for a person.
        """
        ...

    async def profile(self, event: Event) -> Sender:
        """What the platform knows about who sent ``event``; at least ``event.sender``.

        Raises:
            DeliveryError: The platform does not say now.
        """
        ...


AdapterFactory = Callable[..., Adapter | None]
"""Entry point of the group ``botkit.adapters``: ``factory(settings)`` returns the adapter, or None
when its variables are not set."""

__all__ = [
    "Adapter",
    "AdapterFactory",
    "AdapterRoute",
    "Capabilities",
    "CommandHelp",
    "Holds",
    "Intake",
    "Outgoing",
    "Preview",
    "Receipt",
    "Records",
    "SavePreview",
    "Stoppable",
]
