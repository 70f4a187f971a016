"""What it costs a turn to be measured, traced and recorded for the console: medians over turns of a
reply of 40 tokens."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from botkit.asking import Asking
from botkit.completion.messages import UserMessage
from botkit.completion.observed import ObservedCompletion, Observer
from botkit.completion.scripted import ScriptedCompletion
from botkit.console.recorder import Recorder
from botkit.metrics import Metrics
from botkit.otel import OtelTracer
from botkit.pipeline import CallNext, Middleware, fold
from botkit.replies import Reply
from botkit.spans import NO_TRACER, Tracer
from botkit.turn import Turn
from botkit.types import ConversationKey, Event, Sender

TURNS = 2000
REPLY = "word " * 40
EVENT = Event("e", "message", ConversationKey("bench", "s", "c"), Sender("u"), text="hello")


class Nowhere(SpanExporter):
    """Takes spans and drops them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Drop them."""
        return SpanExportResult.SUCCESS


def observing(metrics: Metrics) -> Middleware:
    """As :func:`botkit.middleware.observe.observe`, without settings."""
    observer = Observer(metrics)

    async def observe(turn: Turn, call_next: CallNext) -> Reply | None:
        completion = ObservedCompletion(turn.asking.completion, observer)
        turn.asking = replace(turn.asking, completion=completion)
        return await call_next(turn)

    return observe


async def layer(turn: Turn, call_next: CallNext) -> Reply | None:
    """A middleware that does nothing."""
    return await call_next(turn)


async def answer(turn: Turn) -> Reply | None:
    """Ask the model, as the innermost of the pipeline does."""
    text = ""
    with turn.part("handler default"):
        async with aclosing(turn.ask().drafts()) as drafts:
            async for draft in drafts:
                text = draft.text
    return Reply(text)


async def ready() -> None:
    """The model is."""


async def nothing(*given: object) -> None:
    """No platform is there."""


async def one(asking: Asking, middleware: Sequence[Middleware], tracer: Tracer) -> float:
    """Seconds that one turn takes."""
    began = time.perf_counter()
    with tracer.begin("turn bench", botkit__platform="bench", botkit__attempt=1) as span:
        turn = Turn(
            events=[EVENT],
            messages=[UserMessage(role="user", content="hello")],
            user=EVENT.sender,
            state={},
            past=(),
            instructions="",
            commands=(),
            vision=False,
            asking=asking,
            _send=nothing,
            _show=nothing,  # type: ignore[arg-type]
            _fetch=nothing,  # type: ignore[arg-type]
            span=span,
        )
        await fold(middleware, answer)(turn)
    return time.perf_counter() - began


async def main() -> None:
    """Measure the four by turns, so that whatever else the machine does meets all of them."""
    asking = Asking(ScriptedCompletion([REPLY]), ready, lambda model: {})
    observe = observing(Metrics())
    layers = [layer] * 6
    tracer = OtelTracer(Nowhere())
    kinds: dict[str, tuple[list[Middleware], Tracer]] = {
        "bare": (layers, NO_TRACER),
        "observed": ([observe, *layers], NO_TRACER),
        "traced": ([observe, *layers], tracer),
        "recorded": ([observe, *layers], Recorder()),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    gc.disable()
    for turn in range(TURNS):
        for kind, (middleware, given) in kinds.items():
            times[kind].append(await one(asking, middleware, given))
        if turn % 200 == 0:
            gc.collect()
    await tracer.aclose()
    medians = {kind: statistics.median(seconds) * 1000 for kind, seconds in times.items()}
    print(f"a turn without observe: {medians['bare']:.3f} ms")
    for kind in ("observed", "traced", "recorded"):
        print(f"{kind}: {medians[kind] - medians['bare']:+.3f} ms")


if __name__ == "__main__":
    asyncio.run(main())
