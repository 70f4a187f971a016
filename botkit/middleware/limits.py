"""Limits: how often, how long and how much people may ask. A refusal is a kind sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from botkit.asking import Asking
from botkit.completion.budgeted import BudgetedCompletion
from botkit.errors import BudgetExceededError
from botkit.limits.budgets import Budgets
from botkit.limits.limiter import RateLimiter
from botkit.limits.rates import parse_rates
from botkit.limits.scopes import Kind, Names, Scope, place_scopes, scopes
from botkit.limits.sentences import spent, too_fast, too_long
from botkit.metrics import Metrics
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.settings import Settings
from botkit.toolkit import Toolkit
from botkit.turn import Turn
from botkit.types import ConversationKey

RIGHTS = frozenset({"forget", "reset", "memory", "help"})
"""Commands that a person is never denied for having written much: they ask no model, and are
counted apart, so that a flood of them ends too."""

UNCOUNTED = ("feedback", "lifecycle")
"""Kinds of events that are nobody's wish for a reply."""


def limits(kit: Toolkit) -> Middleware:
    """Refuse what is too much, as the settings say.

    A rate that is met is told once per window and conversation; what follows is counted and not
    answered. Nothing of what is refused is remembered, and no model is asked.
    """
    settings = kit.settings
    names = Names(settings.key)
    rates = {kind: parse_rates(text) for kind, text in _rates(settings).items()}
    limiter = RateLimiter(rates, names, kit.redis)
    budgets = _budgets(kit, names)

    longest = settings.limit_characters

    async def limit(turn: Turn, call_next: CallNext) -> Reply | None:
        whose = scopes(turn.event)
        if turn.event.kind not in UNCOUNTED:
            refused, reply = await _refused(turn, whose, limiter, longest, kit.metrics)
            if refused:
                return reply
        if budgets is None:
            return await call_next(turn)
        turn.asking = _within(turn.asking, kit, budgets, whose)
        try:
            return await call_next(turn)
        except BudgetExceededError as error:
            kit.metrics.limited.labels(error.scope, "tokens").inc()
            turn.span.set(botkit__limited=f"{error.scope} tokens")
            return _personal(turn, error.scope, spent(error.scope, error.wait))

    return limit


async def _refused(
    turn: Turn, whose: Sequence[Scope], limiter: RateLimiter, characters: int, metrics: Metrics
) -> tuple[bool, Reply | None]:
    """Whether the turn may not run, and what is said then."""
    event = turn.event
    where = next(scope.id for scope in whose if scope.kind == "conversation")
    lane = ""
    if event.kind == "command" and event.name in RIGHTS:
        whose, lane = [scope for scope in whose if scope.kind == "user"], "rights"
    events = [each.seen_keys[0] for each in turn.events]
    verdict = await limiter.take(events, whose, where, lane)
    if verdict.kind is not None:
        metrics.limited.labels(verdict.kind, "rate").inc()
        turn.span.set(botkit__limited=f"{verdict.kind} rate")
        said = too_fast(verdict.kind, verdict.wait)
        return True, _personal(turn, verdict.kind, said) if verdict.tell else None
    if not lane and sum(len(each.text) for each in turn.events) > characters:
        metrics.limited.labels("message", "characters").inc()
        turn.span.set(botkit__limited="message characters")
        return True, Reply(too_long(characters))
    return False, None


def _personal(turn: Turn, kind: Kind, text: str) -> Reply:
    """What concerns one person is not said to others."""
    return Reply(text, ephemeral=kind == "user" and not turn.event.direct)


def _budgets(kit: Toolkit, names: Names) -> Budgets | None:
    settings = kit.settings
    tokens: dict[Kind, int] = {
        "user": settings.tokens_per_day_user,
        "conversation": settings.tokens_per_day_conversation,
        "workspace": settings.tokens_per_day_workspace,
    }
    if not any(tokens.values()):
        return None
    budgets = Budgets(tokens, names, kit.store, kit.redis)
    kit.settling.append(budgets.idle)
    kit.closing.append(budgets.aclose)
    if kit.summarizer is not None:

        def summing_up(asking: Asking, conversation: ConversationKey) -> Asking:
            return _within(asking, kit, budgets, place_scopes(conversation))

        kit.summarizer.within = summing_up
    return budgets


def _within(asking: Asking, kit: Toolkit, budgets: Budgets, whose: Sequence[Scope]) -> Asking:
    budgeted = BudgetedCompletion(asking.completion, budgets, whose, kit.counts)
    return replace(asking, completion=budgeted)


def _rates(settings: Settings) -> dict[Kind, str]:
    return {
        "user": settings.limit_user,
        "conversation": settings.limit_conversation,
        "workspace": settings.limit_workspace,
    }
