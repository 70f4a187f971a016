"""A completion that does not say twice what it said already."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Any

from botkit.cache.key import Asker, cache_key
from botkit.cache.replies import Outcome, ReplyCache
from botkit.cache.reply import Gathered, whole
from botkit.completion.ability import ability
from botkit.completion.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.closing import close
from botkit.completion.model import Model
from botkit.completion.protocol import Completion, Versioned
from botkit.completion.sampling import StreamOptions

_USAGE = StreamOptions(include_usage=True)


class CachedCompletion:
    """Exact repeats come from a cache, and equal requests at the same time cost one generation.

    Only what could not turn out otherwise is kept: replies at temperature 0 or with a seed, one
    choice, without tools; and only whole ones. A reply from the cache is a stream like the
    original's, with its id, usage and log-probabilities, but costs no tokens: ``botkit.cache`` of
    the request's span, and ``told``, say so.

    Args:
        inner: Who answers what is not in the cache.
        replies: The cache.
        asker: Who asks, looked at with every request.
        told: Told how each request was answered, before its first chunk.
    """

    def __init__(
        self,
        inner: Completion,
        replies: ReplyCache,
        asker: Callable[[], Asker],
        told: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self.inner = inner
        self._replies = replies
        self._asker = asker
        self._told = told
        self._served: Sequence[Model] | None = None

    @property
    def ready(self) -> bool:
        """Whether :attr:`inner` is."""
        return self.inner.ready

    async def start(self) -> None:
        """Start :attr:`inner`."""
        await self.inner.start()

    async def aclose(self) -> None:
        """Close :attr:`inner`; the cache is not this one's."""
        await self.inner.aclose()

    async def models(self) -> Sequence[Model]:
        """What :attr:`inner` serves."""
        self._served = await self.inner.models()
        return self._served

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The whole reply; see :class:`botkit.completion.Completion`."""
        streamed = request.model_copy(update={"stream": True, "stream_options": _USAGE})
        key, asker = await self._key(streamed)
        if key is None:
            self._answered(request, "uncacheable")
            return await self.inner.complete(request)
        return await whole(self._stream(key, asker, streamed))

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The reply as it is written; see :class:`botkit.completion.Completion`."""
        key, asker = await self._key(request)
        if key is None:
            self._answered(request, "uncacheable")
            chunks: Any = self.inner.stream(request)
        else:
            chunks = self._stream(key, asker, request)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await close(chunks)

    def _stream(
        self, key: str, asker: Asker, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        others = {model.id for model in self._served or ()} - {request.model}
        gathered = Gathered(foreign=others.__contains__)
        generate = partial(self.inner.stream, request)
        told = partial(self._answered, request)
        return self._replies.stream(key, asker, gathered, generate, told)

    async def _key(self, request: ChatCompletionRequest) -> tuple[str | None, Asker]:
        served = self._served if self._served is not None else await self.models()
        model = next((each for each in served if each.id == request.model), None)
        versioned = ability(self.inner, Versioned)
        fingerprint = None if versioned is None else versioned.version(request.model)
        asker = self._asker()
        return cache_key(request, asker.scope, model, fingerprint), asker

    def _answered(self, request: ChatCompletionRequest, outcome: Outcome) -> None:
        self._replies.count(outcome)
        request.span.set(botkit__cache=outcome)
        self._told(outcome)
