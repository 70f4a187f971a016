"""Dead letters, figures, and deleting what is no longer needed."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.store.scripts import usage
from botkit.store.scripts.keys import KEY, KEY_COLUMNS, key_params
from botkit.store.statement import Row, Script, Statement, any_of, execute, first
from botkit.types import ConversationKey

PRUNE_BATCH = 500


def dead_letters(limit: int) -> Script[list[Row]]:
    """id, kind, key, reason, at, content; the latest first."""
    return (
        yield from execute(
            f"SELECT d.id, d.kind, {KEY_COLUMNS}, d.reason, d.at, d.content"
            " FROM botkit_dead_letters AS d"
            " JOIN botkit_conversations AS c ON c.id = d.conversation_id"
            " ORDER BY d.id DESC LIMIT :limit",
            limit=limit,
        )
    )


_BACK_TO_INBOX = (
    "INSERT INTO botkit_inbox (conversation_id, kind, sender_id, event, received_at, due_at)"
    " VALUES (:conversation_id, :kind, :sender_id, :content, :now, :now)"
)
_BACK_TO_OUTBOX = (
    "INSERT INTO botkit_outbox"
    " (conversation_id, event_id, ordinal, part, sender_id, payload, created_at, due_at)"
    " VALUES (:conversation_id, :event_id, (SELECT COALESCE(MAX(ordinal), -1) + 1"
    " FROM botkit_outbox WHERE event_id = :event_id), 0, :sender_id, :content, :now, :now)"
)


def retry_dead_letter(letter_id: int, event_kind: str) -> Script[bool]:
    """Put a dead letter back at the end of its queue, under a new id: nothing is taken as sent."""
    letter = yield from first(
        "SELECT c.id FROM botkit_dead_letters AS d"
        " JOIN botkit_conversations AS c ON c.id = d.conversation_id WHERE d.id = :id",
        id=letter_id,
    )
    if letter is None:
        return False
    yield from execute(
        "SELECT id FROM botkit_conversations WHERE id = :id FOR UPDATE", id=letter[0]
    )
    row = yield from first(
        "DELETE FROM botkit_dead_letters WHERE id = :id"
        " RETURNING kind, conversation_id, event_id, sender_id, content",
        id=letter_id,
    )
    if row is None:
        return False
    kind, conversation_id, event_id, sender_id, content = row
    shared = {"conversation_id": conversation_id, "sender_id": sender_id, "content": content}
    if kind == "turn":
        yield from execute(_BACK_TO_INBOX, kind=event_kind, **shared)
    else:
        yield from execute(_BACK_TO_OUTBOX, event_id=event_id, **shared)
    yield from wake(conversation_id)
    return True


def dead_letter_content(letter_id: int) -> Script[Row | None]:
    """kind, content."""
    return (
        yield from first(
            "SELECT kind, content FROM botkit_dead_letters WHERE id = :id", id=letter_id
        )
    )


def wake(conversation_id: int) -> Script[None]:
    """Something is due in a conversation; its holder, if it has one, sees that by itself."""
    yield from execute(
        "UPDATE botkit_conversations SET wake_at = :now WHERE id = :id AND owner IS NULL",
        id=conversation_id,
    )


def next_due(
    platforms: Sequence[str], conversation: ConversationKey | None
) -> Script[float | None]:
    """Seconds until the next conversation wants to be looked at; below 0 when it waits already."""
    known, params = any_of("platform_known", platforms)
    only = f" AND {KEY}" if conversation else ""
    rows = yield Statement(
        "SELECT MIN(wake_at) - :now FROM botkit_conversations"
        f" WHERE wake_at IS NOT NULL AND platform IN {known}{only}",
        params | (key_params(conversation) if conversation else {}),
    )
    return rows[0][0] if rows else None


def stats() -> Script[Row | None]:
    """queued, unsent, dead, age of the oldest queued event or None."""
    return (
        yield from first(
            "SELECT (SELECT COUNT(*) FROM botkit_inbox WHERE done_at IS NULL),"
            " (SELECT COUNT(*) FROM botkit_outbox WHERE done_at IS NULL),"
            " (SELECT COUNT(*) FROM botkit_dead_letters),"
            " (SELECT :now - MIN(received_at) FROM botkit_inbox WHERE done_at IS NULL)"
        )
    )


_OLD = {
    "botkit_seen": ("key", "at"),
    "botkit_inbox": ("id", "done_at"),
    "botkit_outbox": ("id", "done_at"),
}
PRUNED = (*_OLD, "botkit_records", "botkit_usage")


def prune(table: str, older_than_seconds: float) -> Script[int]:
    """Delete a batch of old rows of one of :data:`PRUNED`; how many."""
    if table == "botkit_records":
        return (yield from _prune_records())
    if table == "botkit_usage":
        return (yield from usage.prune(PRUNE_BATCH))
    key, at = _OLD[table]
    rows = yield from execute(
        f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"
        f" WHERE {at} < :now - :age LIMIT {PRUNE_BATCH}) RETURNING 1",
        age=float(older_than_seconds),
    )
    return len(rows)


def _older(table: str, at: str, more: str = "") -> str:
    return (
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table}"
        f" WHERE {at} < :now - :age{more} LIMIT {PRUNE_BATCH}) RETURNING 1"
    )


RETAINED = (
    _older("botkit_messages", "created_at"),
    _older("botkit_inbox", "done_at"),
    _older("botkit_outbox", "done_at"),
    _older("botkit_dead_letters", "at"),
    _older("botkit_feedback", "at"),
    _older("botkit_feed_entries", "at"),
    _older("botkit_conversations", "updated_at", " AND wake_at IS NULL AND owner IS NULL"),
    "UPDATE botkit_conversations SET summary = NULL, memory_version = memory_version + 1"
    " WHERE id IN (SELECT id FROM botkit_conversations AS c WHERE summary IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM botkit_messages AS m"
    " WHERE m.conversation_id = c.id AND m.id <= c.summarized_id)"
    f" LIMIT {PRUNE_BATCH}) RETURNING 1",
)
"""What is deleted when it is older than is retained; each statement takes a batch."""


def retain(statement: str, seconds: float) -> Script[int]:
    """Run one of :data:`RETAINED`; how many rows."""
    return len((yield from execute(statement, age=float(seconds))))


def _prune_records() -> Script[int]:
    rows = yield from execute(
        "DELETE FROM botkit_records WHERE (namespace, key) IN (SELECT namespace, key"
        f" FROM botkit_records WHERE expires_at < :now LIMIT {PRUNE_BATCH}) RETURNING 1"
    )
    return len(rows)
