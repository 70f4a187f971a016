"""Finding a conversation by its key, also after its channel moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from botkit.store.statement import Row, Script, first
from botkit.types import ConversationKey

KEY = "platform = :platform AND space = :space AND channel = :channel AND thread = :thread"
KEY_COLUMNS = "platform, space, channel, thread"


def key_params(key: ConversationKey) -> dict[str, str]:
    """The parameters of :data:`KEY`."""
    return {
        "platform": key.platform,
        "space": key.space,
        "channel": key.channel,
        "thread": key.thread,
    }


def lookup(
    sql: str, key: ConversationKey, **params: Any
) -> Script[tuple[ConversationKey, Row] | None]:
    """The first row of ``sql`` for the key, or for the key its channel moved to.

    Returns:
        The key that the conversation has now, and the row; None when there is none.
    """
    row = yield from first(sql, **params, **key_params(key))
    if row is None:
        moved = yield from moved_to(key)
        if moved is None:
            return None
        key = moved
        row = yield from first(sql, **params, **key_params(key))
    return None if row is None else (key, row)


def moved_to(key: ConversationKey) -> Script[ConversationKey | None]:
    """The key under which the conversation goes on, or None."""
    row = yield from first(
        "SELECT new_channel FROM botkit_moves"
        " WHERE platform = :platform AND space = :space AND channel = :channel",
        platform=key.platform,
        space=key.space,
        channel=key.channel,
    )
    return None if row is None else replace(key, channel=row[0])


def conversation_id(key: ConversationKey) -> Script[int | None]:
    """The row id of a conversation, or None."""
    found = yield from lookup(f"SELECT id FROM botkit_conversations WHERE {KEY}", key)
    return None if found is None else int(found[1][0])
