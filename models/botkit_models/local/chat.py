"""Chat Completions over the engine."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    FinishReason,
    ReplyMessage,
    ReplyToolCall,
    ToolCallFunction,
)
from botkit_models.engine.job import Token
from botkit_models.local import reply
from botkit_models.local.generation import Generation, counted, pieces
from botkit_models.local.logprobs import chat_logprobs
from botkit_models.local.plan import ChatPlan, plan_chat
from botkit_models.local.reply import CallPiece, Piece
from botkit_models.local.requests import sampling_params
from botkit_models.local.runtime import Runtime
from botkit_models.local.terms import chat_terms, used_tier
from botkit_models.structured import GrammarConstraint


@dataclass
class _Call:
    """A call so far."""

    name: str
    id: str = field(default_factory=lambda: f"call_{secrets.token_hex(12)}")
    arguments: str = ""


@dataclass
class _Reply:
    """One choice so far."""

    text: str = ""
    thought: str = ""
    calls: list[_Call] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    reason: reply.FinishReason = "length"

    def add(self, piece: Piece) -> None:
        """Go on with a piece."""
        self.text += piece.text
        self.thought += piece.thought
        for part in piece.calls:
            if part.name is not None:
                self.calls.append(_Call(part.name))
            self.calls[part.index].arguments += part.arguments
        self.tokens += piece.tokens
        self.reason = piece.finish_reason or self.reason

    def finish_reason(self, plan: ChatPlan) -> FinishReason:
        """Why it ended, in OpenAI's words."""
        return plan.finish_of_calls if self.calls and self.reason == "stop" else self.reason

    def message(self, plan: ChatPlan) -> ReplyMessage:
        """The whole message. Fields that are not for every reply are there where they say
        something."""
        message = ReplyMessage(content=self.text or plan.no_text(bool(self.calls)), refusal=None)
        more: dict[str, object] = {}
        if self.thought:
            more["reasoning_content"] = self.thought
        if self.calls:
            more["tool_calls"] = [
                ReplyToolCall(
                    id=call.id,
                    type="function",
                    function=ToolCallFunction(name=call.name, arguments=call.arguments),
                )
                for call in self.calls
            ]
        return message.model_copy(update=more)


async def complete_chat(runtime: Runtime, request: ChatCompletionRequest) -> ChatCompletion:
    """The whole reply; see :meth:`botkit.completion.protocol.Completion.complete`."""
    plan = await plan_chat(runtime, request)
    generations = await _generations(runtime, request, plan)
    replies = [_Reply() for _ in generations]
    async with aclosing(pieces(runtime, generations)) as stream:
        async for index, piece in stream:
            replies[index].add(piece)
    choices = [
        Choice(
            index=index,
            message=one.message(plan),
            logprobs=_logprobs(runtime, request, one.tokens),
            finish_reason=one.finish_reason(plan),
        )
        for index, one in enumerate(replies)
    ]
    return ChatCompletion(
        id=_id(),
        created=int(time.time()),
        model=runtime.name,
        choices=choices,
        usage=counted(len(plan.prompt.ids), generations),
        service_tier=used_tier(request),
        system_fingerprint=runtime.fingerprint,
    )


async def stream_chat(
    runtime: Runtime, request: ChatCompletionRequest
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The reply in chunks; see :meth:`botkit.completion.protocol.Completion.stream`."""
    plan = await plan_chat(runtime, request)
    generations = await _generations(runtime, request, plan)
    blank = ChatCompletionChunk(
        id=_id(),
        created=int(time.time()),
        model=runtime.name,
        choices=[],
        service_tier=used_tier(request),
        system_fingerprint=runtime.fingerprint,
    )
    replies = [_Reply() for _ in generations]
    opened: set[int] = set()
    async with aclosing(pieces(runtime, generations)) as stream:
        async for index, piece in stream:
            replies[index].add(piece)
            if index not in opened:
                opened.add(index)
                role = Delta(role="assistant", content=plan.no_text(False), refusal=None)
                yield _chunk(blank, index, role)
            for delta in _deltas(piece, replies[index]):
                logprobs = None
                if delta.content is not None:
                    logprobs = _logprobs(runtime, request, piece.tokens)
                yield _chunk(blank, index, delta, logprobs)
            if piece.finish_reason is not None:
                yield _chunk(blank, index, Delta(), reason=replies[index].finish_reason(plan))
    if request.include_usage:
        usage = counted(len(plan.prompt.ids), generations)
        yield blank.model_copy(update={"usage": usage})


def _deltas(piece: Piece, whole: _Reply) -> Iterator[Delta]:
    """What a piece adds: thoughts come first, and text before calls."""
    if piece.thought:
        yield Delta(reasoning_content=piece.thought)
    if piece.text or piece.tokens:
        yield Delta(content=piece.text)
    if piece.calls:
        yield Delta(tool_calls=[_call_delta(part, whole) for part in piece.calls])


def _call_delta(part: CallPiece, whole: _Reply) -> ReplyToolCall:
    """A piece of a call: its id and name come once."""
    if part.name is None:
        return ReplyToolCall(index=part.index, function=ToolCallFunction(arguments=part.arguments))
    return ReplyToolCall(
        index=part.index,
        id=whole.calls[part.index].id,
        type="function",
        function=ToolCallFunction(name=part.name, arguments=part.arguments),
    )


def _chunk(
    blank: ChatCompletionChunk,
    index: int,
    delta: Delta,
    logprobs: ChoiceLogprobs | None = None,
    reason: FinishReason | None = None,
) -> ChatCompletionChunk:
    choice = ChunkChoice(index=index, delta=delta, logprobs=logprobs, finish_reason=reason)
    return blank.model_copy(update={"choices": [choice]})


async def _generations(
    runtime: Runtime, request: ChatCompletionRequest, plan: ChatPlan
) -> list[Generation]:
    """One per choice.

    Raises:
        InvalidRequestError: ``logit_bias`` is wrong.
    """
    top = (request.top_logprobs or 0) if request.logprobs else None
    params = sampling_params(request, request.n, runtime.tokenizer.vocab_size, top)
    continuing, terms = bool(request.continue_final_message), chat_terms(request)
    constraints: list[GrammarConstraint | None] = [None] * len(params)
    if plan.grammar is not None:  # making them takes a while: not on the event loop
        constraints = await asyncio.to_thread(lambda: [plan.constraint() for _ in params])
    return [
        Generation(
            plan.prompt.ids,
            one,
            plan.budget,
            runtime.writer(request.stops, continuing=continuing, reader=plan.reader()),
            constraint,
            terms,
        )
        for one, constraint in zip(params, constraints, strict=True)
    ]


def _logprobs(
    runtime: Runtime, request: ChatCompletionRequest, tokens: Sequence[Token]
) -> ChoiceLogprobs | None:
    return chat_logprobs(runtime.tokenizer, tokens) if request.logprobs else None


def _id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
