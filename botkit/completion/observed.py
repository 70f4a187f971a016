"""A completion whose requests are measured: a span, counts, and times for each.

Spans follow OpenTelemetry's semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), without messages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from botkit.completion.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.model import Model
from botkit.completion.protocol import Completion
from botkit.completion.sampling import StreamOptions
from botkit.completion.usage import Usage
from botkit.errors import CompletionError, InvalidRequestError
from botkit.metrics import Metrics
from botkit.settings import Settings

OPENAI = "api.openai.com"


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
            measure.note(reply.id, reply.model, reply.usage)
            measure.finished(*(choice.finish_reason for choice in reply.choices))
            return reply

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The reply as it is written, and its usage where ``request`` asks for that; see
        :class:`botkit.completion.Completion`."""
        hides = self.observer.tells_usage and not request.include_usage
        with _Measure(self.observer, request) as measure:
            try:
                async with aclosing(_chunks(self.inner, request, hides, measure)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except InvalidRequestError as error:
                if not (hides and "stream_options" in f"{error.param} {error}"):
                    raise
                self.observer.tells_usage = False
                async with aclosing(_chunks(self.inner, request, False, measure)) as chunks:
                    async for chunk in chunks:
                        yield chunk


async def _chunks(
    completion: Completion, request: ChatCompletionRequest, hides: bool, measure: _Measure
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The chunks; ``hides`` asks for the usage, and keeps it from who reads them."""
    if hides:
        options = (request.stream_options or StreamOptions()).model_copy(
            update={"include_usage": True}
        )
        request = request.model_copy(update={"stream_options": options})
    chunks: Any = completion.stream(request)
    try:
        async for chunk in chunks:
            measure.chunk(chunk)
            if chunk.choices or not hides:
                yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


class _Measure:
    """One request: its span, and what is counted when it is over."""

    def __init__(self, observer: Observer, request: ChatCompletionRequest) -> None:
        self._observer = observer
        self._model = request.model
        self._reasons: list[str] = []
        self._heard = False
        self._began = time.perf_counter()
        self._span = request.span.child(
            f"chat {request.model}",
            client=bool(observer.address),
            gen_ai__operation__name="chat",
            gen_ai__provider__name=observer.provider,
            gen_ai__request__model=request.model,
            gen_ai__request__max_tokens=request.reply_limit,
            gen_ai__request__temperature=request.temperature,
            gen_ai__request__top_p=request.top_p,
            gen_ai__request__seed=request.seed,
            server__address=observer.address or None,
        )

    def __enter__(self) -> Self:
        return self

    def chunk(self, chunk: ChatCompletionChunk) -> None:
        """A piece came."""
        if not self._heard:
            self._hear(chunk)
        if chunk.usage is not None:
            self.note(chunk.id, chunk.model, chunk.usage)
        for choice in chunk.choices:
            if choice.finish_reason is not None:
                self.note(chunk.id, chunk.model, None)
                self.finished(choice.finish_reason)

    def _hear(self, chunk: ChatCompletionChunk) -> None:
        for choice in chunk.choices:
            delta = choice.delta
            if delta.content or delta.refusal or delta.tool_calls:
                self._heard = True
                seconds = time.perf_counter() - self._began
                self._observer.metrics.first_token.labels(self._model).observe(seconds)
                self._span.set(gen_ai__response__time_to_first_chunk=seconds)
                return

    def finished(self, *reasons: str) -> None:
        """Choices ended."""
        self._reasons += reasons
        self._span.set(gen_ai__response__finish_reasons=tuple(self._reasons))

    def note(self, id: str, model: str, usage: Usage | None) -> None:
        """What the response says of itself."""
        self._span.set(gen_ai__response__id=id, gen_ai__response__model=model)
        if usage is None:
            return
        details = usage.prompt_tokens_details
        cached = details.cached_tokens if details is not None else 0
        self._span.set(
            gen_ai__usage__input_tokens=usage.prompt_tokens,
            gen_ai__usage__output_tokens=usage.completion_tokens,
            gen_ai__usage__cache_read__input_tokens=cached,
        )
        tokens = self._observer.metrics.tokens
        tokens.labels(self._model, "input").inc(usage.prompt_tokens)
        tokens.labels(self._model, "output").inc(usage.completion_tokens)
        tokens.labels(self._model, "cached").inc(cached)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        metrics = self._observer.metrics
        metrics.model_requests.labels(self._model, _outcome(error)).inc()
        metrics.model_seconds.labels(self._model).observe(time.perf_counter() - self._began)
        self._span.end(error)


_OUTCOMES = {408: "timeout", 429: "overloaded", 503: "unavailable", 504: "timeout"}


def _outcome(error: BaseException | None) -> str:
    """One of the words that the counter's help names."""
    if error is None:
        return "ok"
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    if not isinstance(error, CompletionError):
        return "error"
    return _OUTCOMES.get(error.status, "refused" if error.status < 500 else "error")
