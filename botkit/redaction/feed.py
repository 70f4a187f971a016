"""A feed of which only what is redacted is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from botkit.feed import Feed, FeedEntry, FeedHead, FeedPage
from botkit.redaction.kept import redacted_entry
from botkit.types import ConversationKey, Json


class RedactedFeed:
    """:class:`botkit.feed.Feed` around another. Who adds an entry gets it back as it was said, to
    show it to those who are there; who comes later reads what was kept."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

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
        """Add an entry, redacted."""
        kept = redacted_entry(value)
        added = await self._feed.append(
            conversation, key, kept, ends=ends, removes=removes, at=at, answers=answers
        )
        if added is None or added[1].value != kept:
            return added
        head, entry = added
        return head, replace(entry, value=value)

    async def after(
        self, conversation: ConversationKey, seq: int = 0, limit: int = 200
    ) -> FeedPage:
        """The last of the entries after a number."""
        return await self._feed.after(conversation, seq, limit)

    async def before(self, conversation: ConversationKey, seq: int, limit: int = 50) -> FeedPage:
        """The last of the entries before a number."""
        return await self._feed.before(conversation, seq, limit)

    async def entry(self, conversation: ConversationKey, key: str) -> FeedEntry | None:
        """The entry of that key, or None."""
        return await self._feed.entry(conversation, key)

    async def heads(
        self, conversations: Sequence[ConversationKey]
    ) -> dict[ConversationKey, FeedHead]:
        """How far feeds are."""
        return await self._feed.heads(conversations)

    async def tell(self, conversation: ConversationKey, live: Json | None) -> FeedHead:
        """Set what is live, redacted."""
        return await self._feed.tell(conversation, redacted_entry(live))

    async def stop(self, conversation: ConversationKey, key: str) -> None:
        """The person wants what answers an entry ended."""
        await self._feed.stop(conversation, key)
