"""Feeds: what conversations show, in order."""

from __future__ import annotations

import time
from collections.abc import Sequence

from botkit.store.encoding import dumps, loads
from botkit.store.scripts.keys import KEY, KEY_COLUMNS, conversation_id, key_params
from botkit.store.statement import Row, Script, Statement, any_of, execute, first
from botkit.types import ConversationKey

_MICROSECONDS = 1_000_000
GONE = 200
"""Keys of entries that were taken away: so many are remembered."""
_HEAD = "epoch, seq, live, stop"
_ENTRY = "seq, key, value, at"


def append(
    key: ConversationKey,
    name: str,
    value: str,
    *,
    ends: bool,
    removes: Sequence[str],
    at: int | None,
    answers: str,
) -> Script[tuple[Row, Row] | None]:
    """Add an entry, once; the feed's head (:data:`_HEAD`, gone) and the entry (:data:`_ENTRY`).
    None where it is not to be added."""
    feed, head = yield from _feed(key)
    known = yield from _entry(feed, name)
    if known is not None:
        return head, known
    gone = loads(head[4])
    if name in gone or (answers and answers in gone) or at not in (None, head[1]):
        return None
    if removes:
        those, params = any_of("key", removes)
        rows = yield Statement(
            f"DELETE FROM botkit_feed_entries WHERE conversation_id = :feed AND key IN {those}"
            " RETURNING key",
            params | {"feed": feed},
        )
        gone = [*gone, *sorted(row[0] for row in rows)][-GONE:]
    moved = yield from first(
        "UPDATE botkit_feeds SET seq = seq + 1, gone = :gone,"
        " live = CASE WHEN :ends = 1 THEN NULL ELSE live END"
        f" WHERE conversation_id = :feed RETURNING {_HEAD}, gone",
        feed=feed,
        gone=dumps(gone),
        ends=int(ends),
    )
    assert moved is not None
    entry = yield from first(
        "INSERT INTO botkit_feed_entries (conversation_id, seq, key, value, answers, at)"
        f" VALUES (:feed, :seq, :key, :value, :answers, :now) RETURNING {_ENTRY}",
        feed=feed,
        seq=moved[1],
        key=name,
        value=value,
        answers=answers,
    )
    assert entry is not None
    return moved, entry


def page(
    key: ConversationKey, limit: int, *, after: int = 0, before: int | None = None
) -> Script[tuple[Row, list[Row]] | None]:
    """The head, and the last ``limit`` entries between two numbers, in order."""
    head = yield from first(
        f"SELECT {_HEAD}, gone, conversation_id FROM botkit_feeds WHERE conversation_id ="
        f" (SELECT id FROM botkit_conversations WHERE {KEY})",
        **key_params(key),
    )
    if head is None:
        return None
    rows = yield from execute(
        f"SELECT {_ENTRY} FROM botkit_feed_entries WHERE conversation_id = :feed AND seq > :after"
        f"{'' if before is None else ' AND seq < :before'} ORDER BY seq DESC LIMIT :limit",
        feed=head[5],
        after=after,
        limit=limit,
        **({} if before is None else {"before": before}),
    )
    return head[:5], rows[::-1]


def entry(key: ConversationKey, name: str) -> Script[Row | None]:
    """The entry of that key, or None."""
    feed = yield from conversation_id(key)
    return (yield from _entry(feed, name))


def heads(keys: Sequence[ConversationKey]) -> Script[list[Row]]:
    """Platform, space, channel, thread and :data:`_HEAD` of those that are there."""
    channels, params = any_of("channel", sorted({key.channel for key in keys}))
    spaces, more = any_of("space", sorted({key.space for key in keys}))
    platforms, most = any_of("platform", sorted({key.platform for key in keys}))
    return (
        yield from execute(
            f"SELECT {KEY_COLUMNS}, {_HEAD} FROM botkit_feeds AS f"
            " JOIN botkit_conversations AS c ON c.id = f.conversation_id"
            f" WHERE platform IN {platforms} AND space IN {spaces} AND channel IN {channels}",
            **params,
            **more,
            **most,
        )
    )


def tell(key: ConversationKey, live: str | None) -> Script[Row | None]:
    """Set what is live; the head, or None where there is no feed."""
    feed = yield from conversation_id(key)
    return (
        yield from first(
            f"UPDATE botkit_feeds SET live = :live WHERE conversation_id = :feed RETURNING {_HEAD}",
            feed=feed,
            live=live,
        )
    )


def stop(key: ConversationKey, name: str) -> Script[None]:
    """The person wants what answers the entry ``name`` ended."""
    feed = yield from conversation_id(key)
    yield from execute(
        "UPDATE botkit_feeds SET stop = :name WHERE conversation_id = :feed", feed=feed, name=name
    )


def clear(row_id: int, source: str) -> Script[None]:
    """Delete what a conversation shows up to the entry ``source``, or all of it where that is not
    there, and what answers that; who shows it still finds another epoch."""
    rows = yield from execute(
        "DELETE FROM botkit_feed_entries WHERE conversation_id = :id AND seq <= COALESCE("
        "(SELECT seq FROM botkit_feed_entries WHERE conversation_id = :id AND key = :source),"
        " (SELECT seq FROM botkit_feeds WHERE conversation_id = :id)) RETURNING key",
        id=row_id,
        source=source,
    )
    late = rows
    while late:  # a reply that came after the command, and what was said of that
        those, params = any_of("key", [row[0] for row in late])
        late = yield Statement(
            "DELETE FROM botkit_feed_entries WHERE conversation_id = :id"
            f" AND answers IN {those} RETURNING key",
            params | {"id": row_id},
        )
        rows += late
    head = yield from first(
        "SELECT gone, (SELECT COUNT(*) FROM botkit_feed_entries WHERE conversation_id = :id)"
        " FROM botkit_feeds WHERE conversation_id = :id",
        id=row_id,
    )
    if head is None:
        return
    # The command's own entry is gone too, but what answers it is shown.
    gone = [*loads(head[0]), *sorted(row[0] for row in rows if row[0] != source)]
    yield from execute(
        "UPDATE botkit_feeds SET epoch = epoch + 1, live = NULL, stop = '', gone = :gone,"
        " seq = CASE WHEN :left = 0 THEN 0 ELSE seq END WHERE conversation_id = :id",
        id=row_id,
        gone=dumps(gone[-GONE:]),
        left=head[1],
    )


def _feed(key: ConversationKey) -> Script[tuple[int, Row]]:
    """The feed of a conversation, its row locked, and its head (:data:`_HEAD`, gone); both are
    begun where they are not there."""
    yield from execute(
        "INSERT INTO botkit_conversations"
        " (platform, space, channel, thread, token, created_at, updated_at)"
        " VALUES (:platform, :space, :channel, :thread, :token, :now, :now)"
        " ON CONFLICT (platform, space, channel, thread)"
        " DO UPDATE SET updated_at = excluded.updated_at",
        token=_now(),
        **key_params(key),
    )
    row = yield from first(
        "INSERT INTO botkit_feeds (conversation_id, epoch)"
        f" SELECT id, :epoch FROM botkit_conversations WHERE {KEY}"
        # An update of nothing, so that the row is locked and returned.
        " ON CONFLICT (conversation_id) DO UPDATE SET stop = botkit_feeds.stop"
        f" RETURNING {_HEAD}, gone, conversation_id",
        epoch=_now(),
        **key_params(key),
    )
    assert row is not None
    return int(row[5]), row[:5]


def _entry(feed: int | None, name: str) -> Script[Row | None]:
    return (
        yield from first(
            f"SELECT {_ENTRY} FROM botkit_feed_entries"
            " WHERE conversation_id = :feed AND key = :name",
            feed=feed,
            name=name,
        )
    )


def _now() -> int:
    return int(time.time() * _MICROSECONDS)
