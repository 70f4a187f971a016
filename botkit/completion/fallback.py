"""Several completions in order: the next one answers when one cannot."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import stamina

from botkit.completion.breaker import BreakerPolicy, CircuitBreaker
from botkit.completion.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.completion.closing import close
from botkit.completion.model import Model
from botkit.completion.protocol import Completion
from botkit.errors import (
    BotkitError,
    CompletionError,
    CompletionUnavailableError,
    DeadlineExceededError,
)

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

MAX_WAIT = 5.0
"""Seconds to wait at most before asking the same member again; the next one is asked instead."""

_NOT_WORTH_RETRYING = frozenset({"insufficient_quota"})


@dataclass(frozen=True)
class _Member:
    completion: Completion
    breaker: CircuitBreaker


class FallbackCompletion:
    """An ordered chain of completions with retries, a deadline and circuit breakers.

    Overload, server errors and lost connections are tried again on the same member, with
    exponential backoff or as its ``Retry-After`` says, and then on the next. A wrong request or
    a refused key is the caller's to mend and is raised at once. A stream may change members until
    its first content; after that an error is raised, for nobody can take back what was said.

    A member that does not serve the request's model answers with its own first model.

    Chains offer chat only: vectors and likelihoods of different models cannot stand in for
    one another.

    Args:
        members: Whom to ask, in order.
        attempts: How often to ask each, at most.
        deadline: Seconds for the whole request, streams included; None for no limit.
        breaker: When a member is left alone.
        clock: Seconds that only grow, for the breakers.
    """

    def __init__(
        self,
        members: Sequence[Completion],
        attempts: int = 3,
        deadline: float | None = 120.0,
        breaker: BreakerPolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        policy = breaker or BreakerPolicy()
        self._members = [_Member(entry, CircuitBreaker(policy, clock)) for entry in members]
        self._attempts = attempts
        self._deadline = deadline

    @property
    def ready(self) -> bool:
        """True when any member is."""
        return any(member.completion.ready for member in self._members)

    async def start(self) -> None:
        """Start all members; those that fail are left out.

        Raises:
            BotkitError: None could start; the first one's error.
        """
        starts = [member.completion.start() for member in self._members]
        outcomes = await asyncio.gather(*starts, return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in errors:
            if not isinstance(error, BotkitError) or not self.ready:
                raise error
            logger.warning("a completion of the chain could not start: %s", error)

    async def aclose(self) -> None:
        """Close all members."""
        await asyncio.gather(*(member.completion.aclose() for member in self._members))

    async def models(self) -> Sequence[Model]:
        """What the ready members serve, each model once."""
        found: dict[str, Model] = {}
        for member in self._members:
            if member.completion.ready:
                for model in await member.completion.models():
                    found.setdefault(model.id, model)
        return list(found.values())

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The first reply that a member gives; see :class:`botkit.completion.Completion`."""

        async def ask(member: _Member) -> ChatCompletion:
            with member.breaker.watch():
                fitting = await _fitting(member.completion, request)
                return await member.completion.complete(fitting)

        return await self._in_time(self._ask_in_turn(ask), self._end(request))

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        """The first stream to get as far as content; see :class:`botkit.completion.Completion`."""

        async def begin(member: _Member) -> _Begun:
            with member.breaker.watch():
                fitting = await _fitting(member.completion, request)
                return await _begin(member, member.completion.stream(fitting))

        end = self._end(request)
        begun = await self._in_time(self._ask_in_turn(begin), end)
        try:
            for chunk in begun.said:
                yield chunk
            while True:
                with begun.member.breaker.watch():
                    chunk_or_none = await self._in_time(anext(begun.rest, None), end)
                if chunk_or_none is None:
                    return
                yield chunk_or_none
        finally:
            await close(begun.rest)

    async def _ask_in_turn(self, ask: Callable[[_Member], Awaitable[ResultT]]) -> ResultT:
        last: CompletionError | None = None
        for member in self._members:
            if not member.completion.ready or not member.breaker.allows:
                continue
            try:
                return await self._ask_repeatedly(member, ask)
            except CompletionError as error:
                if not _may_pass(error):
                    raise
                logger.warning("a completion of the chain failed with status %d", error.status)
                last = error
        raise last or self._nobody()

    async def _ask_repeatedly(
        self, member: _Member, ask: Callable[[_Member], Awaitable[ResultT]]
    ) -> ResultT:
        def backoff(error: Exception) -> bool | float:
            if not isinstance(error, CompletionError) or not _may_pass(error):
                return False
            if error.code in _NOT_WORTH_RETRYING or not member.breaker.allows:
                return False
            if error.retry_after is None:
                return True
            return error.retry_after if error.retry_after <= MAX_WAIT else False

        attempts = stamina.retry_context(
            on=backoff, attempts=self._attempts, timeout=None, wait_max=MAX_WAIT
        )
        async for attempt in attempts:
            with attempt:
                return await ask(member)
        raise self._nobody()

    def _end(self, request: ChatCompletionRequest) -> _End:
        """When the chain's deadline is, or the request's own where that is sooner."""
        limits = [limit for limit in (self._deadline, request.deadline) if limit is not None]
        if not limits:
            return _End(None, None)
        return _End(min(limits), asyncio.get_running_loop().time() + min(limits))

    async def _in_time(self, work: Awaitable[ResultT], end: _End) -> ResultT:
        try:
            async with asyncio.timeout_at(end.at):
                return await work
        except TimeoutError:
            raise DeadlineExceededError(f"No answer within {end.seconds:g} s.") from None

    def _nobody(self) -> CompletionUnavailableError:
        waits = [member.breaker.wait for member in self._members if member.completion.ready]
        return CompletionUnavailableError(
            "No completion of the chain can be asked now.", retry_after=min(waits, default=None)
        )


@dataclass(frozen=True)
class _End:
    """How long everything may take, and when that is over on the event loop's clock."""

    seconds: float | None
    at: float | None


@dataclass(frozen=True)
class _Begun:
    """A stream that has come to its first content: what it said so far, and what is to come."""

    member: _Member
    said: list[ChatCompletionChunk]
    rest: AsyncIterator[ChatCompletionChunk]


async def _begin(member: _Member, chunks: AsyncIterator[ChatCompletionChunk]) -> _Begun:
    said: list[ChatCompletionChunk] = []
    try:
        async for chunk in chunks:
            said.append(chunk)
            if _has_content(chunk):
                break
    except BaseException:
        await close(chunks)
        raise
    return _Begun(member, said, chunks)


def _has_content(chunk: ChatCompletionChunk) -> bool:
    return any(
        choice.delta.content
        or choice.delta.reasoning_content
        or choice.delta.refusal
        or choice.delta.tool_calls
        for choice in chunk.choices
    )


async def _fitting(completion: Completion, request: ChatCompletionRequest) -> ChatCompletionRequest:
    served = [model.id for model in await completion.models()]
    if not served or request.model in served:
        return request
    return request.model_copy(update={"model": served[0]})


def _may_pass(error: CompletionError) -> bool:
    """Whether the same request may fare better later or elsewhere."""
    return error.status == 429 or error.status >= 500
