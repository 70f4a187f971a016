"""Spans of OpenTelemetry, given away in the background.

A collector that is away costs the spans that find no room in the queue, and nothing else.

The ``traceparent`` of a webhook is ignored: the platform's trace is not ours to continue, and
whoever can reach the route could write into it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from importlib import metadata
from types import TracebackType
from typing import Any, Self

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace import Tracer as SdkTracer

from botkit.spans import Attribute, Span

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
"""For the last spans to leave when the bot stops."""


class OtelTracer:
    """Makes spans, and gives those that ended to an exporter, in a thread.

    Args:
        exporter: Where they go.
        service: The name under which they are found there.
    """

    def __init__(self, exporter: SpanExporter, service: str = "botkit") -> None:
        version = metadata.version("botkit")
        named = {"service.name": service, "service.version": version}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("botkit", version)
        self._flushed: asyncio.Event | None = None

    def begin(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """See :class:`botkit.spans.Tracer`."""
        return OtelSpan(self._tracer, name, None, client, attributes)

    async def flush(self, seconds: float) -> None:
        """See :class:`botkit.spans.Tracer`."""
        # While a collector is away a flush takes long: no second one is begun beside it.
        if self._flushed is None or self._flushed.is_set():
            self._flushed = _aside(self._provider.force_flush)
        await _wait(self._flushed, seconds)

    async def aclose(self) -> None:
        """See :class:`botkit.spans.Tracer`."""
        await _wait(_aside(self._provider.shutdown), CLOSE_SECONDS)


class OtelSpan:
    """See :class:`botkit.spans.Span`."""

    __slots__ = ("_ended", "_span", "_tracer")

    def __init__(
        self,
        tracer: SdkTracer,
        name: str,
        context: Context | None,
        client: bool,
        attributes: Mapping[str, Attribute],
    ) -> None:
        self._tracer = tracer
        self._ended = False
        self._span = tracer.start_span(
            name,
            # Never the context's own: who serves the bot may trace its requests.
            context=Context() if context is None else context,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=_dotted(attributes) if attributes else None,
        )

    def child(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """See :class:`botkit.spans.Span`."""
        inside = set_span_in_context(self._span, Context())
        return OtelSpan(self._tracer, name, inside, client, attributes)

    def set(self, **attributes: Attribute) -> None:
        """See :class:`botkit.spans.Span`."""
        if not self._ended:
            self._span.set_attributes(_dotted(attributes))

    def end(self, error: BaseException | None = None) -> None:
        """See :class:`botkit.spans.Span`."""
        if self._ended:
            return
        if error is not None:
            self._fail(error)
        self._ended = True
        self._span.end()

    def _fail(self, error: BaseException) -> None:
        """Note the error's type: its text may quote what somebody said."""
        if isinstance(error, GeneratorExit):  # whoever read it has enough
            return
        if isinstance(error, asyncio.CancelledError):
            self._span.set_attribute("botkit.cancelled", True)
            return
        self._span.set_attribute("error.type", type(error).__qualname__)
        self._span.set_status(Status(StatusCode.ERROR))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(error)


def _dotted(attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    return {
        name.replace("__", "."): value for name, value in attributes.items() if value is not None
    }


def _aside(work: Callable[[], object]) -> asyncio.Event:
    """Do what blocks in a thread that nobody has to wait for, not even at the exit; the event is
    set when it is done."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def run() -> None:
        try:
            work()
        except Exception as error:
            logger.warning("spans could not be given away: %s", type(error).__name__)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="botkit-spans", daemon=True).start()
    return done


async def _wait(done: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        logger.warning("spans were not given away within %g s", seconds)
