"""Memory: the conversation so far, under a token budget."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.completion import Message
from botkit.completion.counting import TokenCounts
from botkit.memory.summarizer import Summarizer
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.turn import Turn

PROFILE_SHARE = 0.2
"""Of the budget: what a person's profile may take."""


def history(
    tokens: int, counts: TokenCounts | None = None, summarizer: Summarizer | None = None
) -> Middleware:
    """Show the model what was said before, and keep what is said in the turn.

    Within the budget there is, in this order: the summary of what was said long ago, what the
    person asked to be remembered (where nobody else reads the reply), and the last messages.

    Args:
        tokens: The budget.
        counts: How many tokens messages take; None guesses.
        summarizer: Folds what does not fit; None leaves it out.
    """
    counted = counts or TokenCounts()

    async def remember(turn: Turn, call_next: CallNext) -> Reply | None:
        left = _recall(turn, counted, tokens)
        turn.history = fitting(turn.past, left, counted)
        reply = await call_next(turn)
        if turn.remembers and not turn.erases:
            _keep(turn, reply)
            if summarizer is not None:
                summarizer.consider(turn.conversation, [*turn.past, *turn.remembered])
        return reply

    return remember


def _keep(turn: Turn, reply: Reply | None) -> None:
    """Add what was said to the history, and what the person said to what may be learned."""
    turn.remember_exchange("" if reply is None or reply.ephemeral else reply.text)
    turn.stated.extend(event.text for event in turn.events if event.kind == "message")


def _recall(turn: Turn, counts: TokenCounts, budget: int) -> int:
    """Tell the model what it knows from before; what is left of the budget."""
    if not turn.summary.empty:
        told = str(turn.summary)
        if (cost := counts.text(told)) <= budget:
            turn.context.append(told)
            budget -= cost
    profile = str(turn.profile) if turn.event.direct else ""
    if profile and (cost := counts.text(profile)) <= PROFILE_SHARE * budget:
        turn.context.append(profile)
        budget -= cost
    return budget


def fitting(messages: Sequence[Message], tokens: int, counts: TokenCounts) -> list[Message]:
    """The longest tail of ``messages`` within the budget that begins with what a person said."""
    kept: list[Message] = []
    for message in reversed(messages):
        tokens -= counts.message(message)
        if tokens < 0:
            break
        kept.append(message)
    kept.reverse()
    while kept and kept[0].role in ("assistant", "tool"):
        del kept[0]
    return kept
