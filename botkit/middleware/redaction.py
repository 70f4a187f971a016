"""What a turn leaves in the history holds no personal data."""

from __future__ import annotations

from botkit.pipeline import CallNext
from botkit.redaction.kept import redacted_message
from botkit.replies import Reply
from botkit.turn import Turn


async def redaction(turn: Turn, call_next: CallNext) -> Reply | None:
    """Redact what is remembered. What the person said arrived redacted; this is about replies.

    The replies themselves are sent as they are: a bot may tell its own address.
    """
    reply = await call_next(turn)
    turn.remembered[:] = [redacted_message(message) for message in turn.remembered]
    return reply
