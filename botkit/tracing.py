"""Who takes the spans of turns.

OpenTelemetry's other variables (``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_TRACES_SAMPLER``,
``OTEL_RESOURCE_ATTRIBUTES`` and so on) are read by its SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botkit.errors import MissingExtraError
from botkit.settings import Settings
from botkit.spans import NO_TRACER, Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


def make_tracer(settings: Settings) -> Tracer:
    """The tracer that the settings ask for; without any, nothing is imported.

    Raises:
        MissingExtraError: The extra ``botkit[otel]`` is not installed.
    """
    kind = settings.traces_exporter or ("otlp" if settings.otlp_endpoint else "none")
    if kind == "none":
        return NO_TRACER
    try:
        from botkit.otel import OtelTracer

        return OtelTracer(_exporter(kind, settings.otlp_endpoint), settings.service_name)
    except ImportError:
        raise MissingExtraError("opentelemetry-sdk", "otel") from None


def _exporter(kind: str, endpoint: str | None) -> SpanExporter:
    if kind == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # Without an endpoint the SDK looks for the one that is for traces alone.
    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)
