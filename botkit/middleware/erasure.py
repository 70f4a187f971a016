"""What ``/forget`` erases beside the store: caches and the like."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.toolkit import Forgetting
from botkit.turn import Turn


def erasure(forgetting: Sequence[Forgetting]) -> Middleware:
    """Where a turn erases a person, have everybody in ``forgetting`` do so too."""

    async def erase(turn: Turn, call_next: CallNext) -> Reply | None:
        reply = await call_next(turn)
        if turn.erases == "person":
            for forget in forgetting:
                await forget(turn.conversation.platform, turn.user.id)
        return reply

    return erase
