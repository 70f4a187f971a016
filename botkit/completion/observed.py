"""A completion whose requests are measured: a span, counts, and times for each.

Spans follow OpenTelemetry's semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), without messages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from prometheus_client import Counter, Histogram

from botkit.completion.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.closing import close
from botkit.completion.model import Model
from botkit.completion.protocol import Completion
from botkit.completion.usage import Usage
from botkit.errors import CompletionError, InvalidRequestError
from botkit.metrics import Metrics
from botkit.settings import Settings
from botkit.spans import NO_SPAN, Attribute, Span

OPENAI = "api.openai.com"


@dataclass(frozen=True, slots=True)
class _Series:
    """What is counted of one model."""

    seconds: Histogram
    first_token: Histogram
    input: Counter
    output: Counter
    cached: Counter


@dataclass
class Observer:
    """Where requests are noted; one for all of them.

    Fields:
        metrics: Where they are counted.
        provider: Who answers, in OpenTelemetry's words, as ``openai``.
        address: The host that is asked; empty where the model is in this process.
        tells_usage: Whether streams are asked for their tokens; not any more after an endpoint
            refused to be asked.
    """

    metrics: Metrics
    provider: str = "botkit"
    address: str = ""
    tells_usage: bool = True
    _series: dict[str, _Series] = field(default_factory=dict, repr=False)

    def series(self, model: str) -> _Series:
        """Those of a model; looking them up takes longer than counting."""
        series = self._series.get(model)
        if series is None:
            metrics = self.metrics
            series = self._series[model] = _Series(
                metrics.model_seconds.labels(model),
                metrics.first_token.labels(model),
                *(metrics.tokens.labels(model, way) for way in ("input", "output", "cached")),
            )
        return series


def make_observer(settings: Settings, metrics: Metrics) -> Observer:
    """The observer of the completion that the settings name."""
    if settings.completion == "openai":
        url = settings.openai_base_url
        return Observer(metrics, "openai", (url and urlsplit(url).hostname) or OPENAI)
    if settings.completion in ("local", "echo"):
        return Observer(metrics)
    return Observer(metrics, settings.completion)


@dataclass(frozen=True)
class ObservedCompletion:
    """Measures the requests to :attr:`inner`. The span of a request is part of its ``span``."""

    inner: Completion
    observer: Observer

    @property
    def ready(self) -> bool:
        """Whether the inner one is."""
        return self.inner.ready

    async def start(self) -> None:
        """Start the inner one."""
        await self.inner.start()

    async def aclose(self) -> None:
        """Close the inner one."""
        await self.inner.aclose()

    async def models(self) -> Sequence[Model]:
        """Those of the inner one."""
        return await self.inner.models()

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The whole reply; see :class:`botkit.completion.Completion`."""
        with _Measure(self.observer, request) as measure:
            reply = await self.inner.complete(request)
            measure.whole(reply)
            return reply

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The reply as it is written, and its usage where ``request`` asks for that; see
        :class:`botkit.completion.Completion`."""
        hides = self.observer.tells_usage and not request.include_usage
        with _Measure(self.observer, request) as measure:
            while True:
                chunks: Any = self.inner.stream(request.telling_usage() if hides else request)
                try:
                    async for chunk in chunks:
                        choices = chunk.choices
                        # Most chunks hold a word and nothing else.
                        if measure.first is None or not choices or choices[0].finish_reason:
                            measure.chunk(chunk)
                        if choices or not hides:
                            yield chunk
                    return
                except InvalidRequestError as error:
                    if not (hides and error.blames("stream_options")):
                        raise
                    hides = self.observer.tells_usage = False
                finally:
                    await close(chunks)


class _Measure:
    """One request: what is noted while it runs is told when it is over, for people wait."""

    def __init__(self, observer: Observer, request: ChatCompletionRequest) -> None:
        self._observer = observer
        self._model = request.model
        self._reply: ChatCompletion | ChatCompletionChunk | None = None
        self._usage: Usage | None = None
        self._reasons: list[str] = []
        self.first: float | None = None
        self._span = request.span
        if self._span is not NO_SPAN:
            self._span = self._begin(request)
        self._began = time.perf_counter()

    def _begin(self, request: ChatCompletionRequest) -> Span:
        return request.span.child(
            f"chat {request.model}",
            client=bool(self._observer.address),
            gen_ai__operation__name="chat",
            gen_ai__provider__name=self._observer.provider,
            gen_ai__request__model=request.model,
            gen_ai__request__max_tokens=request.reply_limit,
            gen_ai__request__temperature=request.temperature,
            gen_ai__request__top_p=request.top_p,
            gen_ai__request__seed=request.seed,
            server__address=self._observer.address or None,
        )

    def __enter__(self) -> Self:
        return self

    def chunk(self, chunk: ChatCompletionChunk) -> None:
        """A piece came that is the first, or says how the reply ended."""
        self._reply = chunk
        if chunk.usage is not None:
            self._usage = chunk.usage
        for choice in chunk.choices:
            if choice.finish_reason is not None:
                self._reasons.append(choice.finish_reason)
            if self.first is None:
                delta = choice.delta
                if delta.content or delta.reasoning_content or delta.refusal or delta.tool_calls:
                    self.first = time.perf_counter() - self._began

    def whole(self, reply: ChatCompletion) -> None:
        """The reply came at once."""
        self._reply, self._usage = reply, reply.usage
        self._reasons += [choice.finish_reason for choice in reply.choices]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._began
        self._observer.metrics.model_requests.labels(self._model, _outcome(error)).inc()
        series = self._observer.series(self._model)
        series.seconds.observe(seconds)
        if self.first is not None:
            series.first_token.observe(self.first)
        if self._usage is not None:
            series.input.inc(self._usage.prompt_tokens)
            series.output.inc(self._usage.completion_tokens)
            series.cached.inc(_cached(self._usage))
        if self._span is not NO_SPAN:
            self._tell()
            self._span.end(error)

    def _tell(self) -> None:
        facts: dict[str, Attribute] = {
            "gen_ai__response__finish_reasons": tuple(self._reasons) or None,
            "gen_ai__response__time_to_first_chunk": self.first,
        }
        if self._reply is not None:
            facts["gen_ai__response__id"] = self._reply.id
            facts["gen_ai__response__model"] = self._reply.model
        if self._usage is not None:
            facts["gen_ai__usage__input_tokens"] = self._usage.prompt_tokens
            facts["gen_ai__usage__output_tokens"] = self._usage.completion_tokens
            facts["gen_ai__usage__cache_read__input_tokens"] = _cached(self._usage)
        self._span.set(**facts)


def _cached(usage: Usage) -> int:
    details = usage.prompt_tokens_details
    return 0 if details is None else details.cached_tokens


_OUTCOMES = {408: "timeout", 429: "overloaded", 503: "unavailable", 504: "timeout"}


def _outcome(error: BaseException | None) -> str:
    """One of the words that the counter's help names."""
    if error is None:
        return "ok"
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    if not isinstance(error, CompletionError):
        return "error"
    if error.code == "insufficient_quota":
        return "refused"
    return _OUTCOMES.get(error.status, "refused" if error.status < 500 else "error")
