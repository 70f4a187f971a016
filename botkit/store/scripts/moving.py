"""A channel that goes on under another id."""

from __future__ import annotations

from botkit.store.encoding import dumps, loads, moved_event
from botkit.store.scripts.keys import KEY, key_params
from botkit.store.statement import Row, Script, execute, first
from botkit.types import ConversationKey

_COLUMNS = "id, thread, state, owner, wake_at, summary, summarized_id"
_CHILDREN = ("inbox", "messages", "outbox", "dead_letters")


def move(platform: str, space: str, channel: str, new_channel: str) -> Script[int]:
    """Rename every conversation of a channel, or merge it into the one there; how many.

    A holder of a renamed conversation keeps its lease: the old key leads to the new one. Where
    two merge it loses it, and nobody takes the turn up before that lease would have ended: what
    it is sending now must be recorded first.
    """
    if channel == new_channel:
        return 0
    place = {"platform": platform, "space": space}
    yield from execute(
        "DELETE FROM botkit_moves"
        " WHERE platform = :platform AND space = :space AND channel = :channel",
        channel=new_channel,
        **place,
    )
    yield from execute(
        "INSERT INTO botkit_moves (platform, space, channel, new_channel)"
        " VALUES (:platform, :space, :channel, :new_channel)"
        " ON CONFLICT (platform, space, channel) DO UPDATE SET new_channel = excluded.new_channel",
        channel=channel,
        new_channel=new_channel,
        **place,
    )
    rows = yield from execute(
        f"SELECT {_COLUMNS} FROM botkit_conversations"
        " WHERE platform = :platform AND space = :space AND channel = :channel"
        " ORDER BY id FOR UPDATE",
        channel=channel,
        **place,
    )
    for row in rows:
        yield from _move_one(row, ConversationKey(platform, space, new_channel, row[1]))
    return len(rows)


def _move_one(row: Row, key: ConversationKey) -> Script[None]:
    row_id = row[0]
    yield from _readdress(row_id, key.channel)
    there = yield from first(
        f"SELECT {_COLUMNS} FROM botkit_conversations WHERE {KEY} FOR UPDATE",
        **key_params(key),
    )
    if there is None:
        yield from execute(
            "UPDATE botkit_conversations SET channel = :channel, updated_at = :now WHERE id = :id",
            id=row_id,
            channel=key.channel,
        )
    else:
        yield from _merge(row, there)


def _readdress(row_id: int, channel: str) -> Script[None]:
    """Events that a turn may still take say where they happened."""
    for table, column, which in (
        ("botkit_inbox", "event", "done_at IS NULL"),
        ("botkit_dead_letters", "content", "kind = 'turn'"),
    ):
        rows = yield from execute(
            f"SELECT id, {column} FROM {table} WHERE conversation_id = :id AND {which}", id=row_id
        )
        for event_id, text in rows:
            yield from execute(
                f"UPDATE {table} SET {column} = :event WHERE id = :id",
                id=event_id,
                event=moved_event(text, channel),
            )


def _merge(old: Row, new: Row) -> Script[None]:
    ids = {"old": old[0], "new": new[0]}
    for name in _CHILDREN:
        yield from execute(
            f"UPDATE botkit_{name} SET conversation_id = :new WHERE conversation_id = :old", **ids
        )
    yield from execute(
        "INSERT INTO botkit_feedback (conversation_id, message_id, sender_id, value, at)"
        " SELECT CAST(:new AS BIGINT), message_id, sender_id, value, at FROM botkit_feedback"
        " WHERE conversation_id = :old ON CONFLICT DO NOTHING",
        **ids,
    )
    yield from execute("DELETE FROM botkit_conversations WHERE id = :id", id=old[0])
    yield from execute(
        "UPDATE botkit_conversations SET state = :state, wake_at = :wake_at, updated_at = :now,"
        " summary = :summary, summarized_id = :summarized_id, memory_version = memory_version + 1"
        " WHERE id = :id",
        id=new[0],
        summary=old[5] if new[5] is None else new[5],
        summarized_id=min(old[6], new[6]),
        state=dumps({**loads(old[2]), **loads(new[2])}),
        wake_at=_wake_at(old, new),
    )


def _wake_at(old: Row, new: Row) -> float | None:
    """The later expiry while either is leased, else the earlier due time."""
    leases = [row[4] for row in (old, new) if row[3] is not None]
    if leases:
        return float(max(leases))
    return min((row[4] for row in (old, new) if row[4] is not None), default=None)
