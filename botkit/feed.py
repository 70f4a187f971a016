"""What a conversation shows, kept here because its platform is this very server.

Slack and Telegram keep what people see; a page that is loaded again has to get it from us. A feed
is an ordered list of entries per conversation, each with a number that only grows, so that whoever
saw up to one number is given exactly what came after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from botkit.types import ConversationKey, Json


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One thing to show.

    Fields:
        seq: Its number, from 1; each is one more than the one before.
        key: What it is; a second entry of the same key is not added.
        value: What to show.
        at: When it was added, in seconds since 1970.
    """

    seq: int
    key: str
    value: Json
    at: float


@dataclass(frozen=True, slots=True)
class FeedHead:
    """How far a feed is.

    Fields:
        epoch: Another one after what was shown was erased: then numbers begin anew, and whoever
            shows something of an older epoch must forget it.
        seq: The number of the last entry; 0 when there is none.
        live: What is under way and not an entry yet, as the process that works on it tells.
        stop: What the person wants ended: the key of an entry, or empty.
        gone: The keys of entries that were taken away lately; empty where only heads were asked
            for.
    """

    epoch: int = 0
    seq: int = 0
    live: Json | None = None
    stop: str = ""
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries in order, and how far the feed was when they were read."""

    head: FeedHead
    entries: tuple[FeedEntry, ...]


class Feed(Protocol):
    """The feeds of one platform's conversations. Every method raises
    :class:`botkit.errors.StoreError`."""

    async def append(
        self,
        conversation: ConversationKey,
        key: str,
        value: Json,
        *,
        ends: bool = True,
        removes: Sequence[str] = (),
        at: int | None = None,
        answers: str = "",
    ) -> tuple[FeedHead, FeedEntry] | None:
        """Add an entry. Once per key: the entry that is there. None, and nothing is added, where
        the key was taken away before, ``answers`` was, or ``at`` is another.

        Args:
            conversation: Where; it is begun where there is none.
            key: What it is.
            value: What to show.
            ends: What is live ends with it, as the reply that was written does; what a person says
                meanwhile ends nothing.
            removes: The keys of entries that go with it.
            at: Only where the feed's last number is still this.
            answers: Only where the entry of this key was not taken away.
        """
        ...

    async def after(
        self, conversation: ConversationKey, seq: int = 0, limit: int = 200
    ) -> FeedPage:
        """The last ``limit`` of the entries after a number; an empty page of a feed that is not
        there, whose epoch is 0."""
        ...

    async def before(self, conversation: ConversationKey, seq: int, limit: int = 50) -> FeedPage:
        """The last ``limit`` of the entries before a number."""
        ...

    async def entry(self, conversation: ConversationKey, key: str) -> FeedEntry | None:
        """The entry of that key; None when there is none."""
        ...

    async def heads(
        self, conversations: Sequence[ConversationKey]
    ) -> dict[ConversationKey, FeedHead]:
        """How far feeds are; those that are not there are missing."""
        ...

    async def tell(self, conversation: ConversationKey, live: Json | None) -> FeedHead:
        """Set what is live, for other processes to see. Nothing is begun where nothing is."""
        ...

    async def stop(self, conversation: ConversationKey, key: str) -> None:
        """The person wants what answers the entry ``key`` ended; for other processes to see."""
        ...
