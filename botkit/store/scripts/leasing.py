"""Leases: taking them, holding them, and what is next under one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from botkit.errors import LeaseLostError
from botkit.store.encoding import HISTORY, RawWork
from botkit.store.records import profile_key
from botkit.store.scripts.keys import KEY, KEY_COLUMNS, key_params, lookup
from botkit.store.statement import Row, Script, Statement, any_of, execute, first
from botkit.store.types import Lease
from botkit.types import ConversationKey

LARGEST_BATCH = 100


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation under a lease, its row locked until the transaction ends."""

    id: int
    conversation: ConversationKey
    token: int
    state: str
    batch: bool


def claim(
    owner: str,
    limit: int,
    lease_seconds: float,
    batch: bool,
    platforms: Sequence[str],
    conversation: ConversationKey | None,
) -> Script[list[RawWork]]:
    """Lease conversations that have something due, longest due first."""
    known, params = any_of("platform_known", platforms)
    only = f" AND {KEY}" if conversation else ""
    rows = yield Statement(
        "SELECT id FROM botkit_conversations"
        f" WHERE wake_at <= :now AND platform IN {known}{only}"
        " ORDER BY wake_at LIMIT :limit FOR UPDATE SKIP LOCKED",
        {"limit": limit} | params | (key_params(conversation) if conversation else {}),
    )
    works: list[RawWork] = []
    for (row_id,) in rows:
        row = yield from first(
            "UPDATE botkit_conversations SET owner = :owner, batch = :batch, token = token + 1,"
            " wake_at = :now + :lease_seconds WHERE id = :id"
            f" RETURNING token, state, {KEY_COLUMNS}",
            owner=owner,
            batch=int(batch),
            lease_seconds=float(lease_seconds),
            id=row_id,
        )
        if row is not None:
            held = Held(row_id, ConversationKey(*row[2:]), row[0], row[1], batch)
            work = yield from advance(held)
            works += [work] if work else []
    return works


def hold(lease: Lease) -> Script[Held]:
    """Lock the conversation.

    Raises:
        LeaseLostError: The lease is not the newest, was released, or the conversation is gone.
    """
    held = yield from hold_if_possible(lease)
    if held is None:
        raise lost()
    return held


def lost() -> LeaseLostError:
    """What a holder that came too late is told."""
    return LeaseLostError("the conversation was leased to somebody else, or erased")


def hold_if_possible(lease: Lease) -> Script[Held | None]:
    """Lock the conversation; None where :func:`hold` raises."""
    found = yield from lookup(
        f"SELECT id, state, batch FROM botkit_conversations WHERE {KEY}"
        " AND token = :token AND owner IS NOT NULL FOR UPDATE",
        lease.conversation,
        token=lease.token,
    )
    if found is None:
        return None
    key, (row_id, state, batch) = found
    return Held(row_id, key, lease.token, state, bool(batch))


def renew(lease: Lease, lease_seconds: float) -> Script[None]:
    """Move the expiry.

    Raises:
        LeaseLostError: It is too late.
    """
    held = yield from hold(lease)
    yield from execute(
        "UPDATE botkit_conversations SET wake_at = :now + :lease_seconds WHERE id = :id",
        id=held.id,
        lease_seconds=float(lease_seconds),
    )


def release(lease: Lease) -> Script[None]:
    """Give the lease back; one that was lost already stays so."""
    held = yield from hold_if_possible(lease)
    if held is not None:
        yield from rest(held)


def rest(held: Held) -> Script[None]:
    """Let go until the conversation's first open row is due."""
    heads = yield from _heads(held)
    yield from _rest_until(held, heads[0][2] if heads else None)


def _rest_until(held: Held, due_at: float | None) -> Script[None]:
    if due_at is None:
        gone = yield from execute(
            "DELETE FROM botkit_conversations WHERE id = :id AND forgotten = 1 RETURNING id",
            id=held.id,
        )
        if gone:
            return
    yield from execute(
        "UPDATE botkit_conversations SET owner = NULL, wake_at = :due_at WHERE id = :id",
        id=held.id,
        due_at=due_at,
    )


def advance(held: Held) -> Script[RawWork | None]:
    """What to do next: the first unsent payload, else the first event, else let go.

    Whatever comes first and is not due yet holds back all that follows: order is strict.
    """
    heads = yield from _heads(held)
    if not heads:
        yield from _rest_until(held, None)
        return None
    in_inbox, row_id, due_at, due = heads[0]
    if not due:
        yield from _rest_until(held, due_at)
        return None
    if in_inbox:
        work = yield from _take_turn(held, row_id)
    else:
        work = yield from _take_payload(held, row_id)
    return work


def _heads(held: Held) -> Script[list[Row]]:
    """The first open row of the outbox, then that of the inbox: in_inbox, id, due_at, due."""
    rows = yield Statement(_HEADS, {"conversation_id": held.id})
    return sorted(rows)


def _head(table: str, in_inbox: int) -> str:
    return (
        f"SELECT {in_inbox} AS in_inbox, id, due_at,"
        f" CASE WHEN due_at <= :now THEN 1 ELSE 0 END AS due FROM (SELECT id, due_at FROM {table}"
        " WHERE conversation_id = :conversation_id AND done_at IS NULL ORDER BY id LIMIT 1)"
        f" AS head_{in_inbox}"
    )


_HEADS = f"{_head('botkit_outbox', 0)} UNION ALL {_head('botkit_inbox', 1)}"


TAKE = (
    "UPDATE botkit_outbox SET attempts = attempts + 1, sending = :token,"
    " uncertain = CASE WHEN sending NOT IN (0, :token) THEN 1 ELSE uncertain END"
)
"""An attempt that an earlier lease left behind may have reached the platform. One of this very
lease did not: its holder never heard of it and asks again."""


def _take_payload(held: Held, row_id: int) -> Script[RawWork]:
    row = yield from first(
        f"{TAKE} WHERE id = :id RETURNING id, payload, attempts, uncertain",
        id=row_id,
        token=held.token,
    )
    return RawWork(held.conversation, held.token, outgoing=row)


def _take_turn(held: Held, row_id: int) -> Script[RawWork]:
    ids = [row_id]
    if held.batch:
        ids = yield from _batch(held, row_id)
    clause, params = any_of("id", ids)
    events = yield Statement(
        f"UPDATE botkit_inbox SET attempts = attempts + 1 WHERE id IN {clause}"
        " RETURNING id, event, attempts, preview, received_at, sender_id, replaces",
        params,
    )
    events = sorted(events)
    for event in events:
        if event[6]:
            yield from _take_back(held, message_id=event[6], sender_id=event[5])
    memory = yield from first(
        "SELECT summary, notes, (SELECT value FROM botkit_records WHERE namespace = :platform"
        " AND key = :profile AND (expires_at IS NULL OR expires_at > :now)), summarized_id"
        " FROM botkit_conversations WHERE id = :id",
        id=held.id,
        platform=held.conversation.platform,
        profile=profile_key(events[-1][5]) if events else "",
    )
    assert memory is not None
    history = yield from execute(
        "SELECT message FROM botkit_messages WHERE conversation_id = :id AND id > :summarized_id"
        " ORDER BY id DESC LIMIT :limit",
        id=held.id,
        summarized_id=memory[3],
        limit=HISTORY,
    )
    return RawWork(
        held.conversation,
        held.token,
        held.state,
        events=tuple(events),
        history=tuple(row[0] for row in reversed(history)),
        memory=memory[:3],
    )


def _take_back(held: Held, message_id: str, sender_id: str) -> Script[None]:
    """Delete what a person's message led to, and all that was said after it: another takes its
    place."""
    yield from execute(
        "DELETE FROM botkit_messages WHERE conversation_id = :id AND id >="
        " (SELECT MIN(id) FROM botkit_messages WHERE conversation_id = :id"
        " AND source = :message_id AND sender_id = :sender_id)",
        id=held.id,
        message_id=message_id,
        sender_id=sender_id,
    )


def _batch(held: Held, first_id: int) -> Script[list[int]]:
    """The messages of one person that follow one another from the head; anything else runs alone:
    what is kept of a turn, and what it costs, is one person's."""
    rows = yield from execute(
        "SELECT id, kind, sender_id, CASE WHEN due_at <= :now THEN 1 ELSE 0 END FROM botkit_inbox"
        " WHERE conversation_id = :id AND done_at IS NULL ORDER BY id LIMIT :limit",
        id=held.id,
        limit=LARGEST_BATCH,
    )
    ids: list[int] = []
    for row_id, kind, sender_id, due in rows:
        if kind != "message" or not due or sender_id != rows[0][2]:
            break
        ids.append(row_id)
    return ids or [first_id]
