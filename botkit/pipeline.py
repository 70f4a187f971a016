"""The middleware fold.

A middleware is ``async (turn, call_next) -> Reply | None``: it may look at the turn, change what
it holds, call the next one or not, and change the reply. None means that nothing is said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from botkit.replies import Reply
from botkit.spans import NO_SPAN

if TYPE_CHECKING:
    from botkit.turn import Turn

CallNext = Callable[["Turn"], Awaitable[Reply | None]]
Middleware = Callable[["Turn", CallNext], Awaitable[Reply | None]]


def fold(middleware: Sequence[Middleware], answer: CallNext) -> CallNext:
    """One function of a turn: the first middleware is the outermost, ``answer`` the innermost."""
    for layer in reversed(middleware):
        answer = partial(_call, layer, answer)
    return answer


async def _call(layer: Middleware, call_next: CallNext, turn: Turn) -> Reply | None:
    outer = turn.span
    if outer is NO_SPAN:
        return await layer(turn, call_next)
    with outer.child(f"middleware {_name(layer)}") as turn.span:
        try:
            return await layer(turn, call_next)
        finally:
            turn.span = outer


def _name(layer: Middleware) -> str:
    """What made it: of ``history(1024)`` it is ``history``, whatever the inner function is."""
    named: str = getattr(layer, "__qualname__", type(layer).__name__)
    return named.partition(".")[0]
