"""A second look at every reply of the model, and who answers where it fails again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from botkit import defaults
from botkit.pipeline import CallNext, Middleware
from botkit.quality import HandOff, Judge, Verdict
from botkit.registry import one_word
from botkit.replies import Reply
from botkit.turn import Turn


def quality(
    judge: Judge,
    attempts: int,
    *,
    hand_off: HandOff | None = None,
    count: Callable[[str], None] = lambda reason: None,
) -> Middleware:
    """Have ``judge`` look at what the model answers; what fails is begun anew, warmer and with a
    hint, and after ``attempts`` the hand-off or the fallback answers.

    Args:
        judge: Who says what is good enough.
        attempts: How often a reply is begun, at least once.
        hand_off: Answers in the model's place.
        count: Told of each attempt why it failed; empty when it passed.
    """

    async def look(turn: Turn, call_next: CallNext) -> Reply | None:
        given_up: list[str] = []

        def judged(verdict: Verdict) -> None:
            count(verdict.reason)

        turn.asking = replace(
            turn.asking,
            judge=judge,
            attempts=attempts,
            fallback=defaults.NOTHING_SAID,
            judged=judged,
            gave_up=given_up.append,
        )
        reply = await call_next(turn)
        # A handler may ask more than once, and cope: only what is about to be said counts.
        says_so = reply is not None and defaults.NOTHING_SAID in reply.text
        if given_up and says_so:
            turn.span.set(botkit__gave_up=one_word(given_up[-1]))
        if not (given_up and says_so) or hand_off is None:
            return reply
        instead = await hand_off(turn, given_up[-1])
        if instead is None:
            return reply
        return Reply(instead) if isinstance(instead, str) else instead

    return look
