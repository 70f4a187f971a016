"""Turns: what one leaves, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from botkit.store.encoding import RawOutput, RawWork
from botkit.store.records import profile_key, put_record, replace_record
from botkit.store.scripts import archive
from botkit.store.scripts.keys import conversation_id
from botkit.store.scripts.leasing import TAKE, Held, advance, hold, lost, rest
from botkit.store.statement import Row, Script, Statement, any_of, execute, first, in_chunks
from botkit.store.types import Lease
from botkit.types import ConversationKey


def finish(
    lease: Lease, event_ids: Sequence[int], sender_id: str, output: RawOutput, reason: str | None
) -> Script[RawWork | None]:
    """End a turn: its events are done, its output is kept; with a reason they are dead letters.

    A second time changes nothing, for a holder that never heard whether the first was kept.
    """
    held = yield from hold(lease)
    clause, params = any_of("event", event_ids)
    done = yield Statement(
        "UPDATE botkit_inbox SET done_at = :now, reason = :reason, preview = NULL"
        f" WHERE conversation_id = :id AND id IN {clause} AND done_at IS NULL RETURNING id",
        params | {"id": held.id, "reason": reason},
    )
    if not done:
        return (yield from advance(held))
    if len(done) < len(event_ids):
        raise lost()
    if reason is not None:
        yield Statement(
            "INSERT INTO botkit_dead_letters"
            " (conversation_id, kind, event_id, sender_id, content, reason, at)"
            " SELECT conversation_id, 'turn', id, sender_id, event, reason, done_at"
            f" FROM botkit_inbox WHERE id IN {clause} ORDER BY id",
            params,
        )
    forgotten = False
    if output.erase == "conversation":
        yield from archive.reset(held.id, output.source)
    elif output.erase == "person":
        forgotten = yield from archive.forget(
            held.id, event_ids, held.conversation, sender_id, output.source
        )
        if not forgotten:  # others are there: state and notes are theirs too
            output = replace(output, state=None, notes=None)
    yield from _keep(held, event_ids[0], sender_id, output, forgotten=forgotten)
    if output.state is not None:
        held = Held(held.id, held.conversation, held.token, output.state, held.batch)
    return (yield from advance(held))


def _keep(
    held: Held, event_id: int, sender_id: str, output: RawOutput, *, forgotten: bool
) -> Script[None]:
    shared = {"id": held.id, "sender_id": sender_id}
    yield from in_chunks(
        "INSERT INTO botkit_messages (conversation_id, sender_id, message, source, created_at)",
        [{"message": message} for message in output.messages],
        (":id", ":sender_id", "message", ":source", ":now"),
        "",
        source=output.source,
        **shared,
    )
    if output.payloads:
        row = yield from first(
            "SELECT COALESCE(MAX(ordinal), -1) + 1 FROM botkit_outbox WHERE event_id = :event_id",
            event_id=event_id,
        )
        yield from _post(held, event_id, row[0] if row else 0, sender_id, output.payloads)
    for feedback in output.feedback:
        yield from execute(
            "INSERT INTO botkit_feedback"
            " (conversation_id, message_id, sender_id, value, comment, at)"
            " VALUES (:id, :message_id, :sender_id, :value, :comment, :now)"
            " ON CONFLICT (conversation_id, message_id, sender_id) DO UPDATE SET"
            " value = excluded.value, comment = excluded.comment, at = excluded.at",
            id=held.id,
            **feedback,
        )
    if output.profile is not None:
        platform, key = held.conversation.platform, profile_key(sender_id)
        if output.profile_was is None:
            yield from put_record(platform, key, output.profile)
        else:
            yield from replace_record(platform, key, output.profile_was, output.profile)
    yield from execute(
        "UPDATE botkit_conversations SET state = COALESCE(:state, state),"
        " notes = COALESCE(:notes, notes), forgotten = :forgotten, updated_at = :now"
        " WHERE id = :id",
        id=held.id,
        state=output.state,
        notes=output.notes,
        forgotten=int(forgotten),
    )


def _post(
    held: Held,
    event_id: int,
    ordinal: int,
    sender_id: str,
    payloads: Sequence[str],
    *,
    sending: bool = False,
) -> Script[list[Row]]:
    """Put the pieces of one reply into the outbox: id, payload, attempts, uncertain of each.

    With ``sending`` the caller sends them at once.
    """
    rows = yield from in_chunks(
        "INSERT INTO botkit_outbox (conversation_id, event_id, ordinal, part, sender_id, payload,"
        " attempts, sending, created_at, due_at)",
        [{"part": part, "payload": payload} for part, payload in enumerate(payloads)],
        (
            *(":id", ":event_id", ":ordinal", "part", ":sender_id", "payload"),
            *(":attempts", ":sending", ":now", ":now"),
        ),
        "RETURNING id, payload, attempts, uncertain",
        id=held.id,
        event_id=event_id,
        ordinal=ordinal,
        sender_id=sender_id,
        attempts=int(sending),
        sending=held.token if sending else 0,
    )
    return sorted(rows)


def enqueue(
    lease: Lease, event_id: int, ordinal: int, sender_id: str, payloads: Sequence[str]
) -> Script[list[Row]]:
    """An interim reply, once per event and ordinal; the pieces that are not sent yet.

    What an earlier attempt of the turn put there counts, also where it was cut into other pieces.
    """
    held = yield from hold(lease)
    yield from _demand_open(held, event_id)
    known = yield from execute(
        "SELECT id FROM botkit_outbox WHERE event_id = :event_id AND ordinal = :ordinal",
        event_id=event_id,
        ordinal=ordinal,
    )
    if not known:
        return (yield from _post(held, event_id, ordinal, sender_id, payloads, sending=True))
    rows = yield from execute(
        f"{TAKE} WHERE event_id = :event_id AND ordinal = :ordinal AND done_at IS NULL"
        " RETURNING id, payload, attempts, uncertain",
        event_id=event_id,
        ordinal=ordinal,
        token=held.token,
    )
    return sorted(rows)


def _demand_open(held: Held, event_id: int) -> Script[None]:
    """LeaseLostError where the event was erased: nothing may be kept about it any more."""
    row = yield from first(
        "SELECT 1 FROM botkit_inbox"
        " WHERE id = :event_id AND conversation_id = :id AND done_at IS NULL",
        id=held.id,
        event_id=event_id,
    )
    if row is None:
        raise lost()


def save_preview(lease: Lease, event_id: int, preview: str) -> Script[None]:
    """Keep what a later attempt of the turn needs of the preview."""
    held = yield from hold(lease)
    yield from execute(
        "UPDATE botkit_inbox SET preview = :preview"
        " WHERE id = :event_id AND conversation_id = :id AND done_at IS NULL",
        id=held.id,
        event_id=event_id,
        preview=preview,
    )


def retry(
    lease: Lease, event_ids: Sequence[int], reason: str, retry_in: float, refund: bool
) -> Script[RawWork | None]:
    """Put the events off. A refunded one is not taken again at once: its holder has no room."""
    held = yield from hold(lease)
    clause, params = any_of("event", event_ids)
    values: dict[str, Any] = {"id": held.id, "reason": reason, "retry_in": float(retry_in)}
    yield Statement(
        "UPDATE botkit_inbox SET due_at = :now + :retry_in, reason = :reason,"
        " attempts = attempts - :refund"
        f" WHERE conversation_id = :id AND id IN {clause} AND done_at IS NULL",
        params | values | {"refund": int(refund)},
    )
    if refund:
        yield from rest(held)
        return None
    return (yield from advance(held))


def next_is_message(conversation: ConversationKey, after_id: int) -> Script[bool]:
    """Whether the open event after ``after_id`` is a message of the same person, which a batch
    would take along."""
    row_id = yield from conversation_id(conversation)
    row = yield from first(
        "SELECT kind, CASE WHEN sender_id = (SELECT sender_id FROM botkit_inbox"
        " WHERE id = :after_id) THEN 1 ELSE 0 END FROM botkit_inbox"
        " WHERE conversation_id = :id AND done_at IS NULL"
        " AND id > :after_id ORDER BY id LIMIT 1",
        id=row_id,
        after_id=after_id,
    )
    return row is not None and row[0] == "message" and bool(row[1])
