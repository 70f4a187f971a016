from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from seen_spans import Seen

from botkit.otel import OtelTracer


@pytest.fixture
def seen() -> Seen:
    exporter = InMemorySpanExporter()
    return Seen(OtelTracer(exporter, "test-bot"), exporter)
