"""Looking at what is kept, and erasing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botkit.adapter import CONVERSATION, PERSON
from botkit.store.encoding import blank_event, loads
from botkit.store.records import delete_records
from botkit.store.scripts import feeds
from botkit.store.scripts.keys import KEY, KEY_COLUMNS, conversation_id, lookup
from botkit.store.statement import Row, Script, Statement, any_of, execute, first
from botkit.types import ConversationKey


def history(key: ConversationKey, limit: int) -> Script[list[str]]:
    """The last messages, oldest first."""
    row_id = yield from conversation_id(key)
    rows = yield from execute(
        "SELECT message FROM botkit_messages WHERE conversation_id = :id"
        " ORDER BY id DESC LIMIT :limit",
        id=row_id,
        limit=limit,
    )
    return [row[0] for row in reversed(rows)]


def conversations(limit: int, before: float | None, platform: str | None) -> Script[list[Row]]:
    """Key, messages, queued, created, updated; the latest first."""
    given = {"before": before, "platform": platform}
    conditions = {"before": "updated_at < :before", "platform": "platform = :platform"}
    wanted = [conditions[name] for name, value in given.items() if value is not None]
    return (
        yield from execute(
            f"SELECT {KEY_COLUMNS},"
            " (SELECT COUNT(*) FROM botkit_messages WHERE conversation_id = c.id),"
            " (SELECT COUNT(*) FROM botkit_inbox WHERE conversation_id = c.id AND done_at IS NULL),"
            " created_at, updated_at FROM botkit_conversations AS c"
            f"{' WHERE ' + ' AND '.join(wanted) if wanted else ''}"
            " ORDER BY updated_at DESC, id DESC LIMIT :limit",
            limit=limit,
            **{name: value for name, value in given.items() if value is not None},
        )
    )


_EXPORTED = {
    "messages": ("botkit_messages", ("message", "created_at"), ("message",)),
    "events": (
        "botkit_inbox",
        ("id", "event", "attempts", "preview", "reason", "received_at", "done_at"),
        ("event", "preview"),
    ),
    "outbox": (
        "botkit_outbox",
        (
            "id",
            "event_id",
            "payload",
            "attempts",
            "uncertain",
            "reason",
            "message_id",
            "created_at",
            "done_at",
        ),
        ("payload",),
    ),
    "feedback": ("botkit_feedback", ("message_id", "sender_id", "value", "comment", "at"), ()),
    "shown": ("botkit_feed_entries", ("seq", "key", "value", "at"), ("value",)),
    "dead_letters": (
        "botkit_dead_letters",
        ("id", "kind", "reason", "at", "content"),
        ("content",),
    ),
}


def export(key: ConversationKey, limit: int | None = None) -> Script[dict[str, Any] | None]:
    """Everything kept about a conversation, or of each kind the last ``limit``; None when there is
    none."""
    found = yield from lookup(
        "SELECT id, state, created_at, updated_at, summary, notes"
        f" FROM botkit_conversations WHERE {KEY}",
        key,
    )
    if found is None:
        return None
    key, (row_id, state, created_at, updated_at, summary, notes) = found
    exported: dict[str, Any] = {
        "conversation": str(key),
        "created_at": created_at,
        "updated_at": updated_at,
        "state": loads(state),
        "summary": None if summary is None else loads(summary),
        "notes": loads(notes),
    }
    last = {} if limit is None else {"limit": limit}
    for name, (table, columns, encoded) in _EXPORTED.items():
        rows = yield from execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE conversation_id = :id"
            f" ORDER BY id DESC{' LIMIT :limit' if last else ''}",
            id=row_id,
            **last,
        )
        exported[name] = [_entry(columns, encoded, row) for row in reversed(rows)]
    return exported


def _entry(columns: tuple[str, ...], encoded: tuple[str, ...], row: Row) -> dict[str, Any]:
    values = dict(zip(columns, row, strict=True))
    for name in encoded:
        values[name] = None if values[name] is None else loads(values[name])
    return values


def erase(key: ConversationKey) -> Script[bool]:
    """Delete a conversation with all that belongs to it; its holder finds nothing to commit to.

    The ids of its events stay marked as seen, so that a re-delivery does not bring it back.
    """
    row_id = yield from conversation_id(key)
    return (yield from _delete(row_id))


def _delete(row_id: int | None) -> Script[bool]:
    yield from _delete_records(row_id)
    rows = yield from execute(
        "DELETE FROM botkit_conversations WHERE id = :id RETURNING id", id=row_id
    )
    return bool(rows)


def _delete_records(row_id: int | None) -> Script[None]:
    """Delete what an adapter keeps for a conversation."""
    row = yield from first(
        f"SELECT {KEY_COLUMNS} FROM botkit_conversations WHERE id = :id", id=row_id
    )
    if row is not None:
        key = ConversationKey(*row)
        yield from delete_records(key.platform, f"{CONVERSATION}{key}:")


_BY_PERSON = (
    "FROM {table} WHERE sender_id = :sender_id AND conversation_id IN"
    " (SELECT id FROM botkit_conversations WHERE platform = :platform)"
)
_PERSONAL = ("messages", "inbox", "outbox", "dead_letters", "feedback")


def erase_person(
    platform: str, sender_id: str, *, spare: int | None = None, until: int | None = None
) -> Script[int]:
    """Delete what a person said and was told; conversations of nobody else altogether, but for the
    one whose row is ``spare``. What waits in the inbox after the event ``until`` was said later,
    and is answered."""
    person = {"platform": platform, "sender_id": sender_id}
    selects = (
        f"SELECT conversation_id {_BY_PERSON.format(table=f'botkit_{name}')}" for name in _PERSONAL
    )
    touched = yield from execute(" UNION ".join(selects), **person)
    for (row_id,) in touched:
        if row_id == spare:
            continue
        if (yield from _shared(row_id, sender_id)):
            yield from _drop_summary(row_id)
        elif until is not None and (yield from _waits(row_id, until)):
            yield from reset(row_id)
        else:
            yield from _delete(row_id)
    later = "" if until is None else " AND (id <= :until OR done_at IS NOT NULL)"
    for name in _PERSONAL:
        delete = f"DELETE {_BY_PERSON.format(table=f'botkit_{name}')}"
        if name == "inbox" and later:
            yield from execute(delete + later, until=until, **person)
        else:
            yield from execute(delete, **person)
    yield from delete_records(platform, f"{PERSON}{sender_id}:")
    return len(touched)


def _waits(row_id: int, after: int) -> Script[bool]:
    row = yield from first(
        "SELECT 1 FROM botkit_inbox WHERE conversation_id = :id AND id > :after"
        " AND done_at IS NULL LIMIT 1",
        id=row_id,
        after=after,
    )
    return row is not None


def reset(row_id: int, source: str = "") -> Script[None]:
    """Delete what was said in a conversation, its state and the middleware's notes. What it shows
    goes up to the message ``source``."""
    yield from execute("DELETE FROM botkit_messages WHERE conversation_id = :id", id=row_id)
    yield from _drop_summary(row_id)
    yield from feeds.clear(row_id, source)
    yield from _delete_records(row_id)
    yield from execute(
        "UPDATE botkit_conversations SET state = '{}', notes = '{}' WHERE id = :id", id=row_id
    )


def forget(
    row_id: int, event_ids: Sequence[int], key: ConversationKey, sender_id: str, source: str
) -> Script[bool]:
    """As :func:`erase_person`, from within a turn of the conversation ``row_id``: that stays until
    its last reply is sent. Whether nobody else spoke in it."""
    until = max(event_ids)
    kept, params = any_of("kept", event_ids)
    texts = yield Statement(f"SELECT id, event FROM botkit_inbox WHERE id IN {kept}", params)
    alone = not (yield from _shared(row_id, sender_id))
    # Its events go to nobody for a moment, so that what is erased below is not they.
    yield Statement(f"UPDATE botkit_inbox SET sender_id = '' WHERE id IN {kept}", params)
    if alone:
        yield from reset(row_id, source)
        for name in ("outbox", "dead_letters", "feedback"):
            yield from execute(f"DELETE FROM botkit_{name} WHERE conversation_id = :id", id=row_id)
        yield Statement(
            "DELETE FROM botkit_inbox"
            f" WHERE conversation_id = :id AND id NOT IN {kept} AND id <= :until",
            params | {"id": row_id, "until": until},
        )
    else:
        yield from _drop_summary(row_id)
    yield from erase_person(key.platform, sender_id, spare=row_id, until=until)
    for event_id, text in texts:
        yield from execute(
            "UPDATE botkit_inbox SET event = :event, sender_id = :sender_id WHERE id = :id",
            id=event_id,
            event=blank_event(text),
            sender_id=sender_id,
        )
    return alone


def _drop_summary(row_id: int) -> Script[None]:
    """A summary cannot be taken apart again: what stays is summed up anew."""
    yield from execute(
        "UPDATE botkit_conversations SET summary = NULL, summarized_id = 0,"
        " memory_version = memory_version + 1 WHERE id = :id",
        id=row_id,
    )


def unsummarized(key: ConversationKey, limit: int) -> Script[tuple[Row, list[Row]] | None]:
    """(id, memory_version, summary), and id and message of the last that are not in the summary,
    oldest first; None when there is no such conversation."""
    found = yield from lookup(
        f"SELECT memory_version, summary, id, summarized_id FROM botkit_conversations WHERE {KEY}",
        key,
    )
    if found is None:
        return None
    _, (version, summary, row_id, summarized_id) = found
    rows = yield from execute(
        "SELECT id, message FROM botkit_messages WHERE conversation_id = :id"
        " AND id > :summarized_id ORDER BY id DESC LIMIT :limit",
        id=row_id,
        summarized_id=summarized_id,
        limit=limit,
    )
    return (row_id, version, summary), rows[::-1]


def summarize(row_id: int, version: int, up_to: int, summary: str) -> Script[bool]:
    """Keep a summary of the messages up to an id; False when the memory changed meanwhile."""
    rows = yield from execute(
        "UPDATE botkit_conversations SET summary = :summary, summarized_id = :up_to,"
        " memory_version = memory_version + 1 WHERE id = :id AND memory_version = :version"
        " RETURNING id",
        id=row_id,
        summary=summary,
        up_to=up_to,
        version=version,
    )
    return bool(rows)


def _shared(row_id: int, sender_id: str) -> Script[bool]:
    row = yield from first(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM botkit_messages"
        " WHERE conversation_id = :id AND sender_id <> :sender_id)"
        " OR EXISTS (SELECT 1 FROM botkit_inbox"
        " WHERE conversation_id = :id AND sender_id <> :sender_id)",
        id=row_id,
        sender_id=sender_id,
    )
    return row is not None


def feedback(key: ConversationKey) -> Script[list[Row]]:
    """message_id, sender_id, value, comment; oldest first."""
    row_id = yield from conversation_id(key)
    return (
        yield from execute(
            "SELECT message_id, sender_id, value, comment FROM botkit_feedback"
            " WHERE conversation_id = :id ORDER BY id",
            id=row_id,
        )
    )


def latest_feedback(limit: int, value: str | None) -> Script[list[Row]]:
    """Key, message_id, sender_id, value, comment, at; the latest first, of all conversations."""
    return (
        yield from execute(
            f"SELECT {KEY_COLUMNS}, f.message_id, f.sender_id, f.value, f.comment, f.at"
            " FROM botkit_feedback AS f JOIN botkit_conversations AS c ON c.id = f.conversation_id"
            f"{' WHERE f.value = :value' if value is not None else ''}"
            " ORDER BY f.at DESC, f.id DESC LIMIT :limit",
            limit=limit,
            **({} if value is None else {"value": value}),
        )
    )
