"""A completion that can say no more than a budget allows, whatever it is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

from botkit.cache.reply import whole
from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChunkChoice,
    CutChunk,
    Delta,
)
from botkit.completion.closing import close
from botkit.completion.counting import TokenCounts
from botkit.completion.metering import Meter
from botkit.completion.model import Model
from botkit.completion.protocol import Completion
from botkit.completion.usage import usage
from botkit.errors import CompletionError, InvalidRequestError
from botkit.limits.budgets import Budgets
from botkit.limits.ledger import Reservation
from botkit.limits.scopes import Scope

SHORTEST = 16
"""Tokens: a shorter reply is not worth beginning."""

UNBOUNDED = 4096
"""Tokens: the longest reply where the request names no limit."""


class BudgetedCompletion:
    """Before each request its prompt and its longest reply are reserved, and the reply is asked to
    be no longer than what is left; afterwards what was not used is free again.

    A reply that grows longer all the same is cut off. What was written before an error, or before
    somebody left, stays counted. Requests raise :class:`~botkit.errors.BudgetExceededError` where
    not even a short reply fits.

    Args:
        inner: Who answers.
        budgets: What is left.
        scopes: For whom the requests are.
        counts: How many tokens prompts and replies take.
    """

    def __init__(
        self, inner: Completion, budgets: Budgets, scopes: Sequence[Scope], counts: TokenCounts
    ) -> None:
        self.inner = inner
        self._budgets = budgets
        self._scopes = scopes
        self._counts = counts

    @property
    def ready(self) -> bool:
        """Whether :attr:`inner` is."""
        return self.inner.ready

    async def start(self) -> None:
        """Start :attr:`inner`."""
        await self.inner.start()

    async def aclose(self) -> None:
        """Close :attr:`inner`; the budgets are not this one's."""
        await self.inner.aclose()

    async def models(self) -> Sequence[Model]:
        """What :attr:`inner` serves."""
        return await self.inner.models()

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The whole reply; see :class:`botkit.completion.Completion`."""
        if request.n > 1 or request.tools or request.functions:
            return await self._complete(request)
        return await whole(self.stream(request.telling_usage()))

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The reply as it is written; see :class:`botkit.completion.Completion`."""
        prompt, reservation, limit = await self._reserve(request)
        meter = Meter(limit, request.n, self._counts)
        shorter = request.reply_limit is None or limit < request.reply_limit
        asked = _limited(request, limit)
        hides = self._budgets.tells_usage and not request.include_usage
        chunks: Any = self._telling(asked) if hides else self.inner.stream(asked)
        refused = False
        try:
            async for chunk in chunks:
                meter.add(chunk)
                if meter.over:
                    for last in _ending(chunk, prompt, meter, request.include_usage):
                        yield last
                    return
                if chunk.choices or not hides:
                    yield CutChunk.of(chunk) if shorter and _cut_off(chunk) else chunk
        except CompletionError:
            refused = not meter.begun
            raise
        finally:
            if meter.usage is not None:
                used = meter.usage.total_tokens
            else:
                used = 0 if refused else prompt + meter.tokens
            self._budgets.settle(reservation, used)
            await close(chunks)

    async def _complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """Several replies, or one that may call tools, at once: nobody sees them grow."""
        _, reservation, limit = await self._reserve(request)
        used = reservation.tokens
        try:
            completion = await self.inner.complete(_limited(request, limit))
            if completion.usage is not None:
                used = completion.usage.total_tokens
            return completion
        except CompletionError:
            used = 0
            raise
        finally:
            self._budgets.settle(reservation, used)

    async def _reserve(self, request: ChatCompletionRequest) -> tuple[int, Reservation, int]:
        """The prompt's tokens, what is reserved, and how long each reply may be."""
        prompt = self._prompt(request)
        longest = request.reply_limit or UNBOUNDED
        least = prompt + request.n * min(SHORTEST, longest)
        want = prompt + request.n * longest
        reservation = await self._budgets.reserve(self._scopes, want, least)
        return prompt, reservation, (reservation.tokens - prompt) // request.n

    def _prompt(self, request: ChatCompletionRequest) -> int:
        """Tokens of all that the model reads."""
        tokens = self._counts.messages(request.messages)
        further: list[Any] = [request.tools, request.functions, request.response_format]
        for message in request.messages:
            if message.role == "assistant" and message.tool_calls:
                further += [call.function.model_dump() for call in message.tool_calls]
        return tokens + sum(self._counts.text(json.dumps(each)) for each in further if each)

    async def _telling(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The inner stream with its usage, unless an endpoint refuses to be asked for that."""
        asks = True
        while True:
            chunks: Any = self.inner.stream(request.telling_usage() if asks else request)
            try:
                async for chunk in chunks:
                    yield chunk
                return
            except InvalidRequestError as error:
                if not (asks and error.blames("stream_options")):
                    raise
                asks = self._budgets.tells_usage = False
            finally:
                await close(chunks)


def _limited(request: ChatCompletionRequest, limit: int) -> ChatCompletionRequest:
    """The request, for replies of at most ``limit`` tokens."""
    if request.reply_limit == limit:
        return request
    name = "max_tokens" if request.max_tokens is not None else "max_completion_tokens"
    return request.model_copy(update={name: limit})


def _cut_off(chunk: ChatCompletionChunk) -> bool:
    return any(choice.finish_reason == "length" for choice in chunk.choices)


def _ending(
    chunk: ChatCompletionChunk, prompt: int, meter: Meter, tells_usage: bool
) -> Iterator[ChatCompletionChunk]:
    """What ends a stream in the place of ``chunk``."""
    choices = [
        ChunkChoice(index=number, delta=Delta(), finish_reason="length")
        for number in meter.unfinished
    ]
    yield CutChunk.of(chunk, choices)
    if tells_usage:
        counted = usage(prompt, meter.tokens)
        yield chunk.model_copy(update={"choices": [], "usage": counted})
