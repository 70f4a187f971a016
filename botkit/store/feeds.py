"""The feeds of one platform's conversations, in the store's database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from botkit.feed import FeedEntry, FeedHead, FeedPage
from botkit.store.encoding import dumps, loads
from botkit.store.scripts import feeds
from botkit.store.statement import CHUNK, Driver, Row
from botkit.types import ConversationKey, Json

Kept = Callable[[Json], Json]


def _all(value: Json) -> Json:
    return value


class StoredFeed:
    """:class:`botkit.feed.Feed` in the store's database.

    Args:
        driver: Of the database.
        kept: What is kept of a value, as :func:`botkit.redaction.kept.redacted_entry`. Who adds an
            entry gets it back as it was said, to show it to those who are there; who comes later
            reads what was kept.
    """

    def __init__(self, driver: Driver, kept: Kept = _all) -> None:
        self._driver = driver
        self._kept = kept

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
        """Add an entry, once per key; see :meth:`botkit.feed.Feed.append`."""
        kept = self._kept(value)
        text = dumps(kept)
        added = await self._driver.run(
            lambda: feeds.append(
                conversation, key, text, ends=ends, removes=removes, at=at, answers=answers
            )
        )
        if added is None:
            return None
        head, entry = _head(added[0]), _entry(added[1])
        return head, replace(entry, value=value) if entry.value == kept else entry

    async def after(
        self, conversation: ConversationKey, seq: int = 0, limit: int = 200
    ) -> FeedPage:
        """The last of the entries after a number."""
        return await self._page(conversation, limit, after=seq)

    async def before(self, conversation: ConversationKey, seq: int, limit: int = 50) -> FeedPage:
        """The last of the entries before a number."""
        return await self._page(conversation, limit, before=seq)

    async def entry(self, conversation: ConversationKey, key: str) -> FeedEntry | None:
        """The entry of that key, or None."""
        row = await self._driver.run(lambda: feeds.entry(conversation, key), reads=True)
        return None if row is None else _entry(row)

    async def heads(
        self, conversations: Sequence[ConversationKey]
    ) -> dict[ConversationKey, FeedHead]:
        """How far feeds are."""
        wanted = set(conversations)
        found: dict[ConversationKey, FeedHead] = {}
        for start in range(0, len(conversations), CHUNK):
            some = conversations[start : start + CHUNK]
            rows = await self._driver.run(lambda some=some: feeds.heads(some), reads=True)  # type: ignore[misc]
            found |= {ConversationKey(*row[:4]): _head(row[4:]) for row in rows}
        return {key: head for key, head in found.items() if key in wanted}

    async def tell(self, conversation: ConversationKey, live: Json | None) -> FeedHead:
        """Set what is live."""
        text = None if live is None else dumps(self._kept(live))
        row = await self._driver.run(lambda: feeds.tell(conversation, text))
        return FeedHead() if row is None else _head(row)

    async def stop(self, conversation: ConversationKey, key: str) -> None:
        """The person wants what answers an entry ended."""
        await self._driver.run(lambda: feeds.stop(conversation, key))

    async def _page(self, conversation: ConversationKey, limit: int, **bounds: Any) -> FeedPage:
        found = await self._driver.run(
            lambda: feeds.page(conversation, limit, **bounds), reads=True
        )
        if found is None:
            return FeedPage(FeedHead(), ())
        head, rows = found
        return FeedPage(_head(head), tuple(_entry(row) for row in rows))


def _head(row: Row) -> FeedHead:
    epoch, seq, live, stop, *gone = row
    keys = tuple(loads(gone[0])) if gone else ()
    return FeedHead(int(epoch), int(seq), None if live is None else loads(live), stop, keys)


def _entry(row: Row) -> FeedEntry:
    seq, key, value, at = row
    return FeedEntry(int(seq), key, loads(value), float(at))
