"""Requests to the model, measured; the caller gets what it asked for and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import SpanKind
from seen_spans import Seen, facts
from stage import on_stage

from botkit import Bot
from botkit.completion import ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.messages import UserMessage
from botkit.completion.observed import ObservedCompletion, Observer
from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.support import refuse_unsupported_chat
from botkit.errors import CompletionUnavailableError, InvalidRequestError, OverloadedError
from botkit.metrics import Metrics
from botkit.middleware.observe import observe
from botkit.settings import Settings
from botkit.toolkit import Toolkit

MODEL = "scripted"


def request(**fields: Any) -> ChatCompletionRequest:
    hello = [UserMessage(role="user", content="hello there")]
    return ChatCompletionRequest(model=MODEL, messages=hello, stream=True, **fields)


def observed(inner: Any) -> tuple[ObservedCompletion, Metrics]:
    metrics = Metrics()
    return ObservedCompletion(inner, Observer(metrics)), metrics


def value(metrics: Metrics, start: str) -> float:
    lines = metrics.text().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))


async def test_usage_is_counted_and_kept_from_who_did_not_ask() -> None:
    completion, metrics = observed(ScriptedCompletion(["one two three"]))
    chunks = [chunk async for chunk in completion.stream(request())]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert value(metrics, 'botkit_tokens_total{direction="input"') == 2
    assert value(metrics, 'botkit_tokens_total{direction="output"') == 3
    assert value(metrics, 'botkit_model_requests_total{model="scripted",outcome="ok"}') == 1
    assert value(metrics, "botkit_model_first_token_seconds_count") == 1
    assert value(metrics, "botkit_model_request_duration_seconds_count") == 1


async def test_who_asks_for_usage_gets_it() -> None:
    completion, metrics = observed(ScriptedCompletion(["one two three"]))
    asked = request(stream_options={"include_usage": True})
    chunks = [chunk async for chunk in completion.stream(asked)]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert value(metrics, "botkit_tokens_total") == 5


async def test_a_whole_reply_is_measured_too(seen: Seen) -> None:
    completion, metrics = observed(ScriptedCompletion(["one two three"]))
    with seen.tracer.begin("test") as span:
        await completion.complete(request().within(span))
    assert value(metrics, "botkit_tokens_total") == 5
    chat = await seen.one("chat scripted")
    assert facts(chat)["gen_ai.response.finish_reasons"] == ("stop",)
    assert chat.kind is SpanKind.INTERNAL  # in this process


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OverloadedError("full", retry_after=1), "overloaded"),
        (CompletionUnavailableError("away"), "unavailable"),
        (InvalidRequestError("no"), "refused"),
        (Broken("one", CompletionUnavailableError("lost")), "unavailable"),
    ],
)
async def test_failures_are_counted_by_kind(error: Any, outcome: str) -> None:
    completion, metrics = observed(ScriptedCompletion([error]))
    with pytest.raises((OverloadedError, CompletionUnavailableError, InvalidRequestError)):
        [chunk async for chunk in completion.stream(request())]
    line = f'botkit_model_requests_total{{model="scripted",outcome="{outcome}"}}'
    assert value(metrics, line) == 1


async def test_a_reader_that_leaves_ends_the_generation() -> None:
    model = ScriptedCompletion(["one two three"])
    completion, metrics = observed(model)
    async with aclosing(completion.stream(request())) as chunks:
        async for chunk in chunks:
            if chunk.choices[0].delta.content:
                break
    assert (model.counts.running, model.counts.cancelled) == (0, 1)
    assert value(metrics, 'botkit_model_requests_total{model="scripted",outcome="cancelled"}') == 1


@dataclass
class Old:
    """An endpoint that knows no ``stream_options``."""

    inner: ScriptedCompletion
    asked: int = 0

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        self.asked += 1
        if request.stream_options is not None:
            raise InvalidRequestError("Extra inputs: stream_options", param=None)
        async for chunk in self.inner.stream(request):
            yield chunk


async def test_an_endpoint_that_tells_no_usage_still_answers() -> None:
    old = Old(ScriptedCompletion(["one two three"]))
    completion, metrics = observed(old)
    for _ in range(2):
        chunks = [chunk async for chunk in completion.stream(request())]
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "one two three"
    assert old.asked == 3  # it is not tried again
    assert value(metrics, 'botkit_model_requests_total{model="scripted",outcome="ok"}') == 2


async def test_a_remote_endpoint_is_named_in_the_span(tmp_path: Path, seen: Seen) -> None:
    settings = Settings.load(
        home=tmp_path, completion="openai", openai_base_url="https://llm.example.com:8443/v1"
    )
    kit = Toolkit(settings, Metrics(), lambda: None)  # type: ignore[arg-type, return-value]
    bot = Bot(middleware=[observe(kit)])
    async with on_stage(tmp_path, bot, tracer=seen.tracer) as stage:
        await stage.say("hello")
        await stage.replies(1)
        await stage.idle()
    chat = await seen.one("chat scripted")
    assert chat.kind is SpanKind.CLIENT
    assert facts(chat)["server.address"] == "llm.example.com"
    assert facts(chat)["gen_ai.provider.name"] == "openai"


def test_the_span_of_a_request_stays_with_copies_and_off_the_wire() -> None:
    refuse_unsupported_chat(request())
    span = object()
    asked = request().within(span)  # type: ignore[arg-type]
    assert asked.model_copy(update={"model": "other"}).span is span
    assert "span" not in asked.model_dump_json()
    assert request().span is not span
