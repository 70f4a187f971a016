"""Chat Completions over the engine."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    ReplyMessage,
)
from botkit.completion.support import refuse_unsupported_chat
from botkit.completion.usage import usage
from botkit_models.engine.job import Token
from botkit_models.local.generation import Generation, pieces
from botkit_models.local.logprobs import chat_logprobs
from botkit_models.local.requests import sampling_params
from botkit_models.local.runtime import Runtime


async def complete_chat(runtime: Runtime, request: ChatCompletionRequest) -> ChatCompletion:
    """The whole reply; see :meth:`botkit.completion.protocol.Completion.complete`."""
    generations = _generations(runtime, request)
    texts: list[list[str]] = [[] for _ in generations]
    tokens: list[list[Token]] = [[] for _ in generations]
    reasons = ["length"] * len(generations)
    async with aclosing(pieces(runtime, generations)) as stream:
        async for index, piece in stream:
            texts[index].append(piece.text)
            tokens[index] += piece.tokens
            reasons[index] = piece.finish_reason or reasons[index]
    choices = [
        Choice(
            index=index,
            message=ReplyMessage(content="".join(texts[index]), refusal=None),
            logprobs=_logprobs(runtime, request, tokens[index]),
            finish_reason="stop" if reasons[index] == "stop" else "length",
        )
        for index in range(len(generations))
    ]
    return ChatCompletion(
        id=_id(),
        created=int(time.time()),
        model=runtime.name,
        choices=choices,
        usage=usage(len(generations[0].text), sum(one.writer.count for one in generations)),
        service_tier="default",
        system_fingerprint=runtime.fingerprint,
    )


async def stream_chat(
    runtime: Runtime, request: ChatCompletionRequest
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The reply in chunks; see :meth:`botkit.completion.protocol.Completion.stream`."""
    generations = _generations(runtime, request)
    id, created = _id(), int(time.time())

    def chunk(*choices: ChunkChoice) -> ChatCompletionChunk:
        return ChatCompletionChunk(
            id=id,
            created=created,
            model=runtime.name,
            choices=list(choices),
            service_tier="default",
            system_fingerprint=runtime.fingerprint,
        )

    async with aclosing(pieces(runtime, generations)) as stream:
        opened: set[int] = set()
        async for index, piece in stream:
            if index not in opened:
                opened.add(index)
                role = Delta(role="assistant", content="", refusal=None)
                yield chunk(ChunkChoice(index=index, delta=role, logprobs=None, finish_reason=None))
            if piece.text or piece.tokens:
                logprobs = _logprobs(runtime, request, piece.tokens)
                delta = Delta(content=piece.text)
                yield chunk(
                    ChunkChoice(index=index, delta=delta, logprobs=logprobs, finish_reason=None)
                )
            if piece.finish_reason is not None:
                yield chunk(
                    ChunkChoice(
                        index=index,
                        delta=Delta(),
                        logprobs=None,
                        finish_reason=piece.finish_reason,
                    )
                )
    if request.include_usage:
        counted = usage(len(generations[0].text), sum(one.writer.count for one in generations))
        yield chunk().model_copy(update={"usage": counted})


def _generations(runtime: Runtime, request: ChatCompletionRequest) -> list[Generation]:
    """One per choice, everything checked.

    Raises:
        CompletionError: The request cannot be obeyed.
    """
    runtime.check_model(request.model)
    refuse_unsupported_chat(request)
    continuing = bool(request.continue_final_message)
    prompt = runtime.prompts.of_chat(request.messages, continuing=continuing)
    budget = runtime.prompts.budget(prompt, request.reply_limit, "messages")
    top = (request.top_logprobs or 0) if request.logprobs else None
    params = sampling_params(request, request.n, runtime.tokenizer.vocab_size, top)
    return [
        Generation(prompt, one, budget, runtime.writer(request.stops, continuing=continuing))
        for one in params
    ]


def _logprobs(
    runtime: Runtime, request: ChatCompletionRequest, tokens: Sequence[Token]
) -> ChoiceLogprobs | None:
    return chat_logprobs(runtime.tokenizer, tokens) if request.logprobs else None


def _id() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"
