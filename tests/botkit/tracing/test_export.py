"""Where spans go: over OTLP to a real listener, to nobody, and to a collector that is away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from seen_spans import Seen
from stage import on_stage

from botkit.completion.scripted import ScriptedCompletion
from botkit.otel import OtelTracer
from botkit.settings import Settings
from botkit.spans import NO_TRACER
from botkit.tracing import make_tracer

SECRET = "sesame"


class Collector:
    """Takes OTLP over HTTP, as a real one does."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.raw = b""

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.raw += body
        self.requests.append(ExportTraceServiceRequest.FromString(body))
        return web.Response(body=b"", content_type="application/x-protobuf")

    def spans(self) -> list[dict[str, object]]:
        """Name, times and attributes of every span, and the service's name."""
        found = []
        for request in self.requests:
            for resource in request.resource_spans:
                told = {each.key: each.value for each in resource.resource.attributes}
                for scope in resource.scope_spans:
                    found += [
                        {
                            **MessageToDict(span, preserving_proto_field_name=True),
                            "service": told["service.name"].string_value,
                            "facts": {each.key: each.value for each in span.attributes},
                        }
                        for span in scope.spans
                    ]
        return found


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield collector, f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_a_turn_arrives_at_a_collector(tmp_path: Path) -> None:
    completion = ScriptedCompletion([f"the word is {SECRET}."])
    async with collecting() as (collector, address):
        async with on_stage(
            tmp_path, completion=completion, otlp_endpoint=address, service_name="my-bot"
        ) as stage:
            await stage.say(f"is it {SECRET}?")
            await stage.replies(1)
            await stage.idle()
        spans = collector.spans()
    assert {span["service"] for span in spans} == {"my-bot"}
    assert len({span["trace_id"] for span in spans}) == 1
    names = {str(span["name"]) for span in spans}
    assert {"turn stage", "middleware observe", "attempt", "chat scripted"} <= names
    assert {"handler default", "commit", "deliver stage"} <= names
    (chat,) = [span for span in spans if span["name"] == "chat scripted"]
    facts = chat["facts"]
    assert isinstance(facts, dict)
    assert facts["gen_ai.usage.output_tokens"].int_value == 4
    assert facts["gen_ai.response.finish_reasons"].array_value.values[0].string_value == "stop"
    assert int(str(chat["end_time_unix_nano"])) > int(str(chat["start_time_unix_nano"]))
    assert SECRET.encode() not in collector.raw


class Away(SpanExporter):
    """A collector that never answers."""

    def __init__(self) -> None:
        self.asked = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked += 1
        time.sleep(30)
        return SpanExportResult.FAILURE


async def test_a_collector_that_hangs_holds_nothing_up(tmp_path: Path) -> None:
    exporter = Away()
    tracer = OtelTracer(exporter)
    async with on_stage(tmp_path, tracer=tracer) as stage:
        for number in range(3):
            await stage.say(f"hello {number}")
        await stage.replies(3, within=20)
        began = time.monotonic()
        await asyncio.gather(*(tracer.flush(0.2) for _ in range(5)))
        assert time.monotonic() - began < 10, "it takes 30 seconds"
        assert exporter.asked == 1
        await stage.say("and now?")
        await stage.replies(4, within=20)
        await stage.idle()
        began = time.monotonic()
    assert time.monotonic() - began < 15


async def test_a_collector_that_is_not_there_costs_no_turn(tmp_path: Path) -> None:
    async with on_stage(tmp_path, otlp_endpoint="http://127.0.0.1:9") as stage:
        await stage.say("hello")
        await stage.replies(1, within=20)
        await stage.idle()
        began = time.monotonic()
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("variables", "traced"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
                "OTEL_TRACES_EXPORTER": "none",
            },
            False,
        ),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
async def test_variables_say_who_is_told(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], traced: bool
) -> None:
    for name in ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    tracer = make_tracer(Settings.load())
    assert (tracer is not NO_TRACER) == traced
    await tracer.aclose()


def test_nothing_is_imported_where_nobody_is_told(tmp_path: Path) -> None:
    code = """
import asyncio, json, pathlib, sys
sys.path.insert(0, sys.argv[2])
from stage import on_stage

async def main():
    async with on_stage(pathlib.Path(sys.argv[1])) as stage:
        await stage.say("hello")
        await stage.replies(1)

asyncio.run(main())
print(json.dumps([name for name in sys.modules if name.startswith("opentelemetry")]))
"""
    support = Path(__file__).parents[2] / "support"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(support)],
        capture_output=True,
        check=True,
        text=True,
        env=clean,
    )
    assert json.loads(done.stdout) == []


async def test_spans_leave_before_a_platform_freezes_the_process(
    tmp_path: Path, seen: Seen
) -> None:
    async with on_stage(
        tmp_path,
        tracer=seen.tracer,
        trigger="http",
        turns_url="http://127.0.0.1:9/internal/turns",
        secret_key="a key",
    ) as stage:
        await stage.say("hello")
        await stage.application.run_due(None)
        assert stage.adapter.said() != []
        names = [span.name for span in seen.exporter.get_finished_spans()]
    assert "turn stage" in names
    assert "deliver stage" in names
