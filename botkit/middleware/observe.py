"""Seeing what the model is asked: spans, tokens and times of every request."""

from __future__ import annotations

from dataclasses import replace

from botkit.completion.observed import ObservedCompletion, make_observer
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.toolkit import Toolkit
from botkit.turn import Turn


def observe(kit: Toolkit) -> Middleware:
    """Measure the requests of every turn. Outermost it is nearest to the model: what a cache
    answers is no request."""
    observer = make_observer(kit.settings, kit.metrics)

    async def watch(turn: Turn, call_next: CallNext) -> Reply | None:
        observed = ObservedCompletion(turn.asking.completion, observer)
        turn.asking = replace(turn.asking, completion=observed)
        return await call_next(turn)

    return watch
