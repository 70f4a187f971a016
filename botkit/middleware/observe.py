"""Seeing what the model is asked: spans, tokens and times of every request."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from botkit.completion.observed import ObservedCompletion, Observer
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.settings import Settings
from botkit.toolkit import Toolkit
from botkit.turn import Turn

OPENAI = "api.openai.com"


def observe(kit: Toolkit) -> Middleware:
    """Measure the requests of every turn. Outermost it is nearest to the model: what a cache
    answers is no request."""
    provider, address = _asked(kit.settings)
    observer = Observer(kit.metrics, provider, address)

    async def watch(turn: Turn, call_next: CallNext) -> Reply | None:
        observed = ObservedCompletion(turn.asking.completion, observer)
        turn.asking = replace(turn.asking, completion=observed)
        return await call_next(turn)

    return watch


def _asked(settings: Settings) -> tuple[str, str]:
    """The provider, as OpenTelemetry names it, and the host that is asked."""
    if settings.completion == "openai":
        url = settings.openai_base_url
        return "openai", (url and urlsplit(url).hostname) or OPENAI
    if settings.completion in ("local", "echo"):
        return "botkit", ""
    return settings.completion, ""
