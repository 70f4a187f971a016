"""What limits add to a turn: rates and a budget of every kind, in memory and with Redis."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botkit.asking import Asking
from botkit.completion import Model
from botkit.completion.messages import UserMessage
from botkit.completion.scripted import ScriptedCompletion
from botkit.metrics import Metrics
from botkit.middleware.limits import limits
from botkit.middleware.observe import observe
from botkit.pipeline import Middleware, fold
from botkit.replies import Reply
from botkit.settings import Settings
from botkit.store import open_store
from botkit.toolkit import make_toolkit
from botkit.turn import Turn
from botkit.types import ConversationKey, Event, Sender

TURNS = 2500
PEOPLE = 200
IDLE = 0.002
"""Seconds between turns, for what goes on after the reply."""

RATES = "100000/minute;100000/hour"
TOKENS = 1 << 40
_numbers = count()


async def _ready() -> None:
    return None


async def _nothing(*values: Any) -> Any:
    return None


def _defaults(model: Model | None) -> dict[str, Any]:
    return {"max_tokens": 100}


def _turn(asking: Asking) -> Turn:
    number = next(_numbers)
    person = number // 2 % PEOPLE
    where = ConversationKey("bench", "w", f"c{person}")
    event = Event(f"e{number}", "message", where, Sender(f"u{person}"), "hello there")
    said = UserMessage(role="user", content="hello there")
    sends: dict[str, Any] = {"_send": _nothing, "_show": _nothing, "_fetch": _nothing}
    fixed: dict[str, Any] = {"instructions": "", "commands": (), "vision": False}
    return Turn([event], [said], event.sender, {}, (), asking=asking, **fixed, **sends)


async def _answer(turn: Turn) -> Reply:
    return Reply(await turn.ask())


@asynccontextmanager
async def _limiting(settings: Settings) -> AsyncIterator[tuple[Middleware, Middleware, Asking]]:
    store = await open_store(settings.database)
    completion = ScriptedCompletion(["one two three four five"])
    asking = Asking(completion, _ready, _defaults)
    kit = make_toolkit(settings, Metrics(), lambda: store, asking, None)
    yield limits(kit), observe(kit), asking
    await kit.aclose()
    await store.aclose()


async def _milliseconds(
    pipelines: Sequence[Sequence[Middleware]], asking: Asking
) -> list[list[float]]:
    """Of each pipeline; they take turns, so that a busy machine hurts them alike."""
    runs = [fold(layers, _answer) for layers in pipelines]
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(TURNS):
        for run, times in zip(runs, found, strict=True):
            turn = _turn(replace(asking))
            began = time.perf_counter()
            await run(turn)
            times.append(1e3 * (time.perf_counter() - began))
            await asyncio.sleep(IDLE)
    return [times[2 * PEOPLE :] for times in found]


async def limiting(redis_url: str | None, *, tokens: int = TOKENS) -> tuple[float, float]:
    """Milliseconds that limits add to a turn: at the median, and at the 95th percentile."""
    with TemporaryDirectory() as home:
        settings = Settings.load(
            home=Path(home),
            completion="echo",
            redis_url=redis_url,
            **{f"limit_{kind}": RATES for kind in ("user", "conversation", "workspace")},
            **{f"tokens_per_day_{kind}": tokens for kind in ("user", "conversation", "workspace")},
        )
        async with _limiting(settings) as (limit, observer, asking):
            without, within = await _milliseconds([[observer], [limit, observer]], asking)
    high = partial(statistics.quantiles, n=20)
    return (
        statistics.median(within) - statistics.median(without),
        high(within)[-1] - high(without)[-1],
    )


if __name__ == "__main__":
    import sys

    url = sys.argv[1] if len(sys.argv) > 1 else None
    for name, tokens in (("rates", 0), ("rates and budgets", TOKENS)):
        middle, high = asyncio.run(limiting(url, tokens=tokens))
        print(f"{name}: {middle:.3f} ms more at the median, {high:.3f} ms at the 95th percentile")
