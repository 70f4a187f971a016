"""Taking events in, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from botkit.store.encoding import NewEvent, RawWork
from botkit.store.scripts.keys import conversation_id, key_params
from botkit.store.scripts.leasing import Held, advance
from botkit.store.statement import Script, execute, first, in_chunks
from botkit.types import ConversationKey

# A conversation that is erased and begins anew must not give out a token again that an old holder
# may still have: the first token is the time in microseconds, and no conversation is leased a
# million times a second.
_PER_SECOND = 1_000_000


def accept(
    events: Sequence[NewEvent], owner: str | None, lease_seconds: float, batch: bool
) -> Script[tuple[int, int, list[RawWork]]]:
    """Insert events; how many were new, how many had been seen, and the work leased."""
    events = yield from _wanted(events)
    fresh = yield from _mark_seen({key for event in events for key in event.keys})
    new = 0
    known: dict[ConversationKey, Held | int] = {}
    for event in events:
        if not fresh.issuperset(event.keys):
            continue
        fresh.difference_update(event.keys)
        if event.conversation not in known:
            known[event.conversation] = yield from _enter(event, owner, lease_seconds, batch)
        entry = known[event.conversation]
        yield from execute(
            "INSERT INTO botkit_inbox"
            " (conversation_id, kind, sender_id, event, replaces, received_at, due_at)"
            " VALUES (:conversation_id, :kind, :sender_id, :event, :replaces, :now, :now)",
            conversation_id=entry.id if isinstance(entry, Held) else entry,
            **event.columns,
        )
        new += 1
    works: list[RawWork] = []
    for entry in known.values():
        if isinstance(entry, Held):
            work = yield from advance(entry)
            works += [work] if work else []
    return new, len(events) - new, works


def _wanted(events: Sequence[NewEvent]) -> Script[list[NewEvent]]:
    """Without those overheard where no conversation is.

    Their keys are not marked: another delivery about the same message may be for the bot.
    """
    wanted: list[NewEvent] = []
    entered: set[ConversationKey] = set()
    for event in events:
        if event.ambient and event.conversation not in entered:
            found = yield from conversation_id(event.conversation)
            if found is None:
                continue
        entered.add(event.conversation)
        wanted.append(event)
    return wanted


def _mark_seen(keys: set[str]) -> Script[set[str]]:
    """The keys that nobody had marked. Sorted, so that two callers never wait for each other."""
    rows = yield from in_chunks(
        "INSERT INTO botkit_seen (key, at)",
        [{"key": key} for key in sorted(keys)],
        ("key", ":now"),
        "ON CONFLICT DO NOTHING RETURNING key",
    )
    return {row[0] for row in rows}


def _enter(
    event: NewEvent, owner: str | None, lease_seconds: float, batch: bool
) -> Script[Held | int]:
    """The conversation's row; leased when there is an owner and nothing waited in it."""
    row = yield from first(
        "INSERT INTO botkit_conversations AS known"
        " (platform, space, channel, thread, token, owner, batch, wake_at, created_at, updated_at)"
        " VALUES (:platform, :space, :channel, :thread, :token, :owner, :batch,"
        " :now + :lease_seconds, :now, :now)"
        " ON CONFLICT (platform, space, channel, thread) DO UPDATE SET"
        " was_idle = CASE WHEN known.wake_at IS NULL THEN 1 ELSE 0 END,"
        " owner = CASE WHEN known.wake_at IS NULL THEN excluded.owner ELSE known.owner END,"
        " batch = CASE WHEN known.wake_at IS NULL THEN excluded.batch ELSE known.batch END,"
        " token = known.token + CASE WHEN known.wake_at IS NULL THEN 1 ELSE 0 END,"
        " wake_at = COALESCE(known.wake_at, excluded.wake_at),"
        " updated_at = excluded.updated_at"
        " RETURNING id, token, state, was_idle",
        token=int(time.time() * _PER_SECOND),
        owner=owner,
        batch=int(batch),
        lease_seconds=float(lease_seconds) if owner is not None else 0.0,
        **key_params(event.conversation),
    )
    if row is None:
        raise RuntimeError("an upsert returns its row")
    row_id, token, state, was_idle = row
    if owner is None or not was_idle:
        return int(row_id)
    return Held(row_id, event.conversation, token, state, batch)
