"""What became of payloads."""

from __future__ import annotations

from botkit.store.encoding import RawWork
from botkit.store.scripts.leasing import advance, hold_if_possible, lost
from botkit.store.statement import Script, execute
from botkit.store.types import Delayed, DeliveryResult, Lease, Refused, Sent


def settle(
    result: DeliveryResult, lease: Lease, *, advances: bool
) -> Script[tuple[bool, RawWork | None]]:
    """Record a result and, when ``advances``, say what is next.

    That the platform took a payload is true whoever holds the lease, so it is recorded in any
    case; the first value tells whether the lease still held.

    Raises:
        LeaseLostError: The lease was lost and nothing was recorded.
    """
    held = yield from hold_if_possible(lease)
    if held is None and not isinstance(result, Sent):
        raise lost()
    if isinstance(result, Sent):
        yield from _sent(result)
    elif isinstance(result, Delayed):
        yield from _delayed(result)
    else:
        yield from _refused(result)
    if held is None:
        return False, None
    work = (yield from advance(held)) if advances else None
    return True, work


def _sent(result: Sent) -> Script[None]:
    yield from execute(
        "UPDATE botkit_outbox SET done_at = :now, sending = 0, message_id = :message_id"
        " WHERE id = :id AND done_at IS NULL",
        id=result.outgoing.id,
        message_id=result.message_id,
    )


def _delayed(result: Delayed) -> Script[None]:
    """Doubt stays: an attempt that surely failed says nothing about those before it."""
    yield from execute(
        "UPDATE botkit_outbox SET due_at = :now + :retry_in, sending = 0, reason = :reason,"
        " attempts = attempts - :refund,"
        " uncertain = CASE WHEN :uncertain = 1 THEN 1 ELSE uncertain END"
        " WHERE id = :id AND done_at IS NULL",
        id=result.outgoing.id,
        retry_in=float(result.retry_in),
        reason=result.reason,
        uncertain=int(result.uncertain),
        refund=int(result.refund),
    )


def _refused(result: Refused) -> Script[None]:
    rows = yield from execute(
        "UPDATE botkit_outbox SET done_at = :now, sending = 0, reason = :reason"
        " WHERE id = :id AND done_at IS NULL RETURNING id",
        id=result.outgoing.id,
        reason=result.reason,
    )
    if rows:
        yield from execute(
            "INSERT INTO botkit_dead_letters"
            " (conversation_id, kind, event_id, sender_id, content, reason, at)"
            " SELECT conversation_id, 'delivery', event_id, sender_id, payload, reason, done_at"
            " FROM botkit_outbox WHERE id = :id",
            id=result.outgoing.id,
        )
