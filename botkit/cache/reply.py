"""A reply as it is kept: gathered from a stream, written as bytes, and told again as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    CutChunk,
    Delta,
    FinishReason,
    ReplyMessage,
    ServiceTier,
    TokenLogprob,
)
from botkit.completion.usage import Usage, WireOut
from botkit.errors import CompletionUnavailableError

KEPT_REASONS = ("stop", "length")
"""How a reply ends that is kept. One that the request's own limit of tokens cut off is whole: asked
again, it would be cut at the same place. What a filter withheld or a tool is to finish is not."""

_DIGEST = 32


class Reply(WireOut):
    """One whole reply."""

    id: str
    created: int
    model: str
    content: str
    finish_reason: FinishReason
    reasoning_content: str | None = None
    logprobs: ChoiceLogprobs | None = None
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: ServiceTier | None = None

    def encode(self, key: str) -> bytes:
        """The reply as bytes that :meth:`decode` believes for this key only."""
        body = self.model_dump_json(exclude_none=True).encode()
        return _digest(key, body) + body

    @classmethod
    def decode(cls, key: str, kept: bytes) -> Reply | None:
        """The reply that was written under ``key``; None where it is damaged or another's."""
        digest, body = kept[:_DIGEST], kept[_DIGEST:]
        if digest != _digest(key, body):
            return None
        try:
            return cls.model_validate_json(body)
        except ValidationError:
            return None

    def chunks(self) -> Iterator[ChatCompletionChunk]:
        """The reply as a stream: role, thought, content, finish reason, and usage where it was
        told."""
        common = self._common()

        def chunk(choices: list[ChunkChoice], **more: Any) -> ChatCompletionChunk:
            return ChatCompletionChunk(choices=choices, **common, **more)

        role = Delta(role="assistant", content="", refusal=None)
        yield chunk([ChunkChoice(index=0, delta=role, finish_reason=None)])
        if self.reasoning_content:
            thought = Delta(reasoning_content=self.reasoning_content)
            yield chunk([ChunkChoice(index=0, delta=thought, finish_reason=None)])
        if self.content:
            said = Delta(content=self.content)
            yield chunk(
                [ChunkChoice(index=0, delta=said, logprobs=self.logprobs, finish_reason=None)]
            )
        yield chunk([ChunkChoice(index=0, delta=Delta(), finish_reason=self.finish_reason)])
        if self.usage is not None:
            yield chunk([], usage=self.usage)

    def _common(self) -> dict[str, Any]:
        fields = {
            "id": self.id,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
            "service_tier": self.service_tier,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass
class Gathered:
    """The chunks of a stream so far, put together.

    Fields:
        foreign: Whether a model answered that was not asked, as where a chain fell back.
    """

    foreign: Callable[[str], bool] = lambda model: False
    _first: ChatCompletionChunk | None = None
    _text: list[str] = field(default_factory=list)
    _thought: list[str] = field(default_factory=list)
    _logprobs: list[TokenLogprob] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)
    _finish: FinishReason | None = None
    _usage: Usage | None = None
    _odd: bool = False
    _cut: bool = False

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Take the next chunk."""
        self._first = self._first or chunk
        self._usage = chunk.usage or self._usage
        self._cut = self._cut or isinstance(chunk, CutChunk)
        for choice in chunk.choices:
            self._odd = self._odd or choice.index != 0 or bool(choice.delta.tool_calls)
            if choice.delta.content:
                self._text.append(choice.delta.content)
            if choice.delta.reasoning_content:
                self._thought.append(choice.delta.reasoning_content)
            if choice.delta.refusal:
                self._refusal.append(choice.delta.refusal)
            if choice.logprobs is not None:
                self._logprobs += choice.logprobs.content or ()
            self._finish = choice.finish_reason or self._finish

    def reply(self) -> Reply | None:
        """What may be kept; None where it is not whole, or not what was asked for."""
        first = self._first
        if first is None or self._finish not in KEPT_REASONS or self._odd or self._refusal:
            return None
        if self._cut or self.foreign(first.model):
            return None
        return Reply(
            id=first.id,
            created=first.created,
            model=first.model,
            content="".join(self._text),
            finish_reason=self._finish,
            reasoning_content="".join(self._thought) or None,
            logprobs=ChoiceLogprobs(content=self._logprobs) if self._logprobs else None,
            usage=self._usage,
            system_fingerprint=first.system_fingerprint,
            service_tier=first.service_tier,
        )

    def completion(self) -> ChatCompletion | None:
        """As the response to a request that did not stream; None where it is not that simple."""
        first = self._first
        if first is None or self._finish is None or self._odd:
            return None
        message = ReplyMessage(
            content="".join(self._text) or (None if self._refusal else ""),
            refusal="".join(self._refusal) or None,
        )
        if self._thought:
            thought = {"reasoning_content": "".join(self._thought)}
            message = message.model_copy(update=thought)
        logprobs = ChoiceLogprobs(content=self._logprobs) if self._logprobs else None
        choice = Choice(index=0, message=message, logprobs=logprobs, finish_reason=self._finish)
        more = first.model_dump(
            include={"id", "created", "model", "system_fingerprint", "service_tier"},
            exclude_none=True,
        )
        return ChatCompletion(choices=[choice], usage=self._usage, **more)


async def whole(chunks: AsyncGenerator[ChatCompletionChunk, None]) -> ChatCompletion:
    """The response that a stream makes; the stream is closed.

    Raises:
        CompletionUnavailableError: It ended before the reply did.
    """
    gathered = Gathered()
    async with aclosing(chunks):
        async for chunk in chunks:
            gathered.add(chunk)
    completion = gathered.completion()
    if completion is None:
        raise CompletionUnavailableError("The reply ended before it was whole.")
    return completion


def _digest(key: str, body: bytes) -> bytes:
    return sha256(key.encode() + body).digest()
