"""One choice of a stream, gathered while it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from botkit.completion.chat import ChatCompletionRequest, FinishReason
from botkit.completion.closing import close
from botkit.completion.protocol import Completion


@dataclass(frozen=True, slots=True)
class Written:
    """What was written so far.

    Fields:
        text: All of it.
        finish_reason: Why it ended; None while it goes on.
        mean_logprob: Of its tokens so far, in nats; None where the stream does not tell.
    """

    text: str
    finish_reason: FinishReason | None = None
    mean_logprob: float | None = None


async def writing(
    completion: Completion, request: ChatCompletionRequest
) -> AsyncGenerator[Written, None]:
    """The reply's first choice; the last state has a finish reason. Closing it ends the generation.

    Raises:
        CompletionError: The request failed.
    """
    text = ""
    finish: FinishReason | None = None
    total, tokens = 0.0, 0
    chunks: Any = completion.stream(request)
    try:
        async for chunk in chunks:
            for choice in chunk.choices:
                if choice.index:
                    continue
                if choice.logprobs is not None and choice.logprobs.content:
                    total += sum(token.logprob for token in choice.logprobs.content)
                    tokens += len(choice.logprobs.content)
                finish = choice.finish_reason or finish
                if choice.delta.content:
                    text += choice.delta.content
                    yield Written(text)
        yield Written(text, finish or "stop", total / tokens if tokens else None)
    finally:
        await close(chunks)
