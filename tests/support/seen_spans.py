"""Spans that a bot gave away, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from botkit.otel import OtelTracer


@dataclass
class Seen:
    """Spans as they were exported."""

    tracer: OtelTracer
    exporter: InMemorySpanExporter

    async def spans(self) -> list[ReadableSpan]:
        """In the order in which they began."""
        await self.tracer.flush(10)
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    async def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in await self.spans() if span.name == name]

    async def one(self, name: str) -> ReadableSpan:
        (span,) = await self.named(name)
        return span

    async def text(self) -> str:
        """Everything that left the process."""
        return "\n".join(span.to_json() for span in await self.spans())

    async def tree(self) -> str:
        """Names, each under what it is part of."""
        spans = await self.spans()
        known = {_id(span) for span in spans}

        def lines(parent: int | None, depth: int) -> Iterator[str]:
            for span in spans:
                above = span.parent.span_id if span.parent is not None else None
                if above == parent or (parent is None and above not in known):
                    yield "  " * depth + span.name
                    yield from lines(_id(span), depth + 1)

        return "\n".join(lines(None, 0))


def facts(span: ReadableSpan) -> dict[str, object]:
    """A span's attributes."""
    return dict(span.attributes or {})


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


def seconds(span: ReadableSpan) -> float:
    """How long it took."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9
