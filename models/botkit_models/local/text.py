"""Legacy text completions over the engine."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from botkit.completion.support import refuse_unsupported_text
from botkit.completion.text import (
    TextChoice,
    TextCompletion,
    TextCompletionRequest,
    TextLogprobs,
)
from botkit.completion.usage import Usage
from botkit_models.engine.job import Token
from botkit_models.local.generation import Generation, counted, pieces
from botkit_models.local.logprobs import text_logprobs
from botkit_models.local.requests import sampling_params
from botkit_models.local.runtime import Runtime
from botkit_models.local.terms import text_terms


@dataclass(frozen=True)
class _Prompt:
    """One prompt: its tokens, its text when it is echoed, and its log-probabilities if asked."""

    ids: list[int]
    echo: str
    scored: tuple[Token, ...]


@dataclass(frozen=True)
class _Reply:
    """One finished continuation."""

    text: str
    tokens: tuple[Token, ...]
    finish_reason: Literal["stop", "length"]
    mean_logprob: float


async def complete_text(runtime: Runtime, request: TextCompletionRequest) -> TextCompletion:
    """Every continuation, whole; of ``best_of`` the ``n`` with the best mean log-probability."""
    per_prompt = max(request.n, request.best_of or 0)
    prompts = await _prompts(runtime, request)
    generations = _generations(runtime, request, prompts, per_prompt)
    replies = await _replies(runtime, generations, len(prompts) * per_prompt)
    choices: list[TextChoice] = []
    for number, prompt in enumerate(prompts):
        mine = replies[number * per_prompt : (number + 1) * per_prompt]
        if per_prompt > request.n:
            mine = sorted(mine, key=lambda reply: reply.mean_logprob, reverse=True)[: request.n]
        choices += [
            TextChoice(
                index=number * request.n + place,
                text=prompt.echo + reply.text,
                logprobs=_whole_logprobs(runtime, request, prompt, reply.tokens),
                finish_reason=reply.finish_reason,
            )
            for place, reply in enumerate(mine)
        ]
    return _response(runtime, _id(), choices, _usage(prompts, generations))


async def stream_text(
    runtime: Runtime, request: TextCompletionRequest
) -> AsyncGenerator[TextCompletion, None]:
    """Continuations in chunks, the echoed prompt first."""
    prompts = await _prompts(runtime, request)
    generations = _generations(runtime, request, prompts, request.n)
    id = _id()
    offsets = []
    for index in range(len(prompts) * request.n):
        prompt = prompts[index // request.n]
        offsets.append(len(prompt.echo))
        if request.echo or not generations:
            logprobs = _whole_logprobs(runtime, request, prompt, ())
            reason: Literal["length"] | None = None if generations else "length"
            yield _response(
                runtime,
                id,
                [
                    TextChoice(
                        index=index, text=prompt.echo, logprobs=logprobs, finish_reason=reason
                    )
                ],
            )
    if generations:
        async with aclosing(pieces(runtime, generations)) as stream:
            async for index, piece in stream:
                if not (piece.text or piece.tokens or piece.finish_reason):
                    continue
                choice = TextChoice(
                    index=index,
                    text=piece.text,
                    logprobs=_logprobs(runtime, request, piece.tokens, offsets[index]),
                    finish_reason=piece.finish_reason,
                )
                offsets[index] += len(piece.text)
                yield _response(runtime, id, [choice])
    if request.include_usage:
        yield _response(runtime, id, [], _usage(prompts, generations))


async def _prompts(runtime: Runtime, request: TextCompletionRequest) -> list[_Prompt]:
    """The prompts, everything checked.

    Raises:
        CompletionError: The request cannot be obeyed.
    """
    runtime.check_model(request.model)
    refuse_unsupported_text(request)
    all_ids = [runtime.prompts.of_text(prompt, "prompt") for prompt in request.prompts]
    for ids in all_ids:
        if request.max_tokens:
            runtime.prompts.budget(ids, request.max_tokens, "prompt")
        else:
            runtime.prompts.fits(ids, "prompt")
    echoes = [
        (prompt if isinstance(prompt, str) else runtime.tokenizer.decode(prompt))
        if request.echo
        else ""
        for prompt in request.prompts
    ]
    scored: list[tuple[Token, ...]] = [() for _ in all_ids]
    if request.echo and request.logprobs is not None:
        terms, adapter = text_terms(request), runtime.adapter
        scored = await runtime.engine.score(all_ids, request.logprobs, terms, adapter)
    return [_Prompt(*one) for one in zip(all_ids, echoes, scored, strict=True)]


def _generations(
    runtime: Runtime,
    request: TextCompletionRequest,
    prompts: Sequence[_Prompt],
    per_prompt: int,
) -> list[Generation]:
    if request.max_tokens == 0:
        return []
    ranked = per_prompt > request.n
    top = 0 if request.logprobs is None and ranked else request.logprobs
    terms = text_terms(request)
    params = sampling_params(request, per_prompt, runtime.tokenizer.vocab_size, top)
    return [
        Generation(
            prompt.ids,
            one,
            request.max_tokens,
            runtime.writer(request.stops, continuing=True),
            terms=terms,
        )
        for prompt in prompts
        for one in params
    ]


async def _replies(runtime: Runtime, generations: Sequence[Generation], count: int) -> list[_Reply]:
    """Every generation to its end; ``count`` empty replies when nothing is to be written."""
    if not generations:
        return [_Reply("", (), "length", 0.0)] * count
    texts = ["" for _ in generations]
    tokens: list[list[Token]] = [[] for _ in generations]
    reasons: list[Literal["stop", "length"]] = ["length" for _ in generations]
    async with aclosing(pieces(runtime, generations)) as stream:
        async for index, piece in stream:
            texts[index] += piece.text
            tokens[index] += piece.tokens
            reasons[index] = piece.finish_reason or reasons[index]
    return [
        _Reply(
            texts[index],
            tuple(tokens[index]),
            reasons[index],
            one.writer.logprob / max(one.writer.count, 1),
        )
        for index, one in enumerate(generations)
    ]


def _whole_logprobs(
    runtime: Runtime, request: TextCompletionRequest, prompt: _Prompt, reply: Sequence[Token]
) -> TextLogprobs | None:
    """Log-probabilities of the echoed prompt (its first token has none) and the reply."""
    if request.echo:
        reply = [Token(prompt.ids[0]), *prompt.scored, *reply]
    return _logprobs(runtime, request, reply, 0)


def _logprobs(
    runtime: Runtime, request: TextCompletionRequest, tokens: Sequence[Token], offset: int
) -> TextLogprobs | None:
    if request.logprobs is None:
        return None
    return text_logprobs(runtime.tokenizer, tokens, offset, top=request.logprobs)


def _usage(prompts: Sequence[_Prompt], generations: Sequence[Generation]) -> Usage:
    read = sum(len(prompt.ids) for prompt in prompts)
    return counted(read, generations, len(prompts))


def _response(
    runtime: Runtime, id: str, choices: list[TextChoice], counted: Usage | None = None
) -> TextCompletion:
    response = TextCompletion(
        id=id,
        created=int(time.time()),
        model=runtime.name,
        choices=choices,
        system_fingerprint=runtime.fingerprint,
    )
    return response if counted is None else response.model_copy(update={"usage": counted})


def _id() -> str:
    return f"cmpl-{secrets.token_hex(12)}"
