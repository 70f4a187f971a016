"""Moderation: neither the model nor a person is shown what a moderator stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from botkit import defaults
from botkit.completion.messages import message_text
from botkit.moderation import Direction, Moderator
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.turn import Turn


def moderation(
    moderator: Moderator, flagged: Callable[[Direction], None] = lambda direction: None
) -> Middleware:
    """Ask ``moderator`` about what a person wrote, and about every text before it is shown.

    It stands outside the history, so that nothing of a message that was stopped is remembered. A
    reply that is stopped is remembered as what was said instead.

    Args:
        moderator: Who says so.
        flagged: Called with the direction of each text that was stopped.
    """

    async def moderate(turn: Turn, call_next: CallNext) -> Reply | None:
        span = turn.span

        def told(direction: Direction) -> None:
            flagged(direction)
            span.set(botkit__flagged=direction)

        asked = "\n".join(part for part in map(message_text, turn.messages) if part)
        verdict = await moderator.check(asked, "input") if asked else None
        if verdict is not None:
            told("input")
            return Reply(verdict.say or defaults.NOT_TALKED_ABOUT)
        turn.asking = replace(
            turn.asking, checks=(*turn.asking.checks, _Watch(moderator, told).check)
        )
        reply = await call_next(turn)
        if reply is None:
            return None
        checked = await turn.checked(reply)
        if checked is not reply:  # by what another middleware added, and remembered
            turn.remembered[:] = [each for each in turn.remembered if each.role != "assistant"]
        return checked

    return moderate


class _Watch:
    """Looks at what the bot says in one turn."""

    def __init__(self, moderator: Moderator, flagged: Callable[[Direction], None]) -> None:
        self._moderator = moderator
        self._flagged = flagged
        self._fine = {""}

    async def check(self, text: str) -> str | None:
        """What is said instead of ``text``; None when it may be said."""
        if text in self._fine:
            return None
        verdict = await self._moderator.check(text, "output")
        if verdict is None:
            self._fine = {"", text}
            return None
        self._flagged("output")
        instead = verdict.say or defaults.NOT_SAID
        self._fine.add(instead)
        return instead
