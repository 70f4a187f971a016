"""A completion that says what it is told: for tests, demos and offline work.

Everything on the wire is as a real model's: usage, log-probabilities, several choices, stop texts
and length limits (a token is a word with the whitespace before it). It counts its generations, so
that a test can see one being cancelled, and it can be slowed or held at a barrier.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    Delta,
    ReplyMessage,
    TokenLogprob,
)
from botkit.completion.embeddings import (
    Embedding,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
)
from botkit.completion.messages import Message, message_text
from botkit.completion.model import Model
from botkit.completion.script import (
    EMBEDDING_SIZE,
    Broken,
    Reply,
    ReplyFunction,
    Written,
    as_base64,
    chat_logprobs,
    embedding,
    likelihood,
    text_logprobs,
    words,
    write,
)
from botkit.completion.support import refuse_unsupported_chat, refuse_unsupported_text
from botkit.completion.text import (
    TextChoice,
    TextCompletion,
    TextCompletionRequest,
    TextLogprobs,
)
from botkit.completion.usage import Usage, usage
from botkit.errors import CompletionError, InvalidRequestError

CREATED = 1_700_000_000
FINGERPRINT = "fp_scripted"


@dataclass
class Counts:
    """How many generations began, and how they ended."""

    started: int = 0
    finished: int = 0
    cancelled: int = 0
    failed: int = 0

    @property
    def running(self) -> int:
        """Generations under way."""
        return self.started - self.finished - self.cancelled - self.failed

    @contextmanager
    def track(self) -> Iterator[None]:
        """Count one generation."""
        self.started += 1
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        except BaseException:
            self.failed += 1
            raise
        else:
            self.finished += 1


@dataclass
class ScriptedCompletion:
    """Replies from a list, in turn and around again, or from a function of the request.

    A reply may also be a :class:`~botkit.errors.CompletionError`, raised instead of a reply, or a
    :class:`~botkit.completion.script.Broken` one, raised after some text.

    Fields:
        replies: What to say. One entry is taken per choice.
        model: The model id that requests may name.
        delay: Seconds before each token.
        gate: When given, every token waits until it is set.
        start_delay: Seconds that :meth:`start` takes.
        counts: Generations so far; one request is one generation.
    """

    replies: Sequence[Reply] | ReplyFunction = ("Hello there!",)
    model: str = "scripted"
    delay: float = 0.0
    gate: asyncio.Event | None = None
    start_delay: float = 0.0
    counts: Counts = field(default_factory=Counts)
    _ready: bool = field(default=False, init=False)
    _taken: int = field(default=0, init=False)

    @property
    def ready(self) -> bool:
        """True after :meth:`start`, until :meth:`aclose`."""
        return self._ready

    async def start(self) -> None:
        """Take :attr:`start_delay` seconds, then be ready."""
        if not self._ready:
            await asyncio.sleep(self.start_delay)
            self._ready = True

    async def aclose(self) -> None:
        """Be ready no more."""
        self._ready = False

    async def models(self) -> Sequence[Model]:
        """The one model."""
        return [Model(id=self.model, object="model", created=CREATED, owned_by="botkit")]

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The whole reply; see :class:`botkit.completion.Completion`."""
        refuse_unsupported_chat(request)
        with self.counts.track():
            written = [self._write(request, request.reply_limit) for _ in range(request.n)]
            for reply in written:
                await self._speak(reply)
            return ChatCompletion(
                id=_id("chatcmpl"),
                created=int(time.time()),
                model=self.model,
                choices=[
                    _chat_choice(index, reply, request) for index, reply in enumerate(written)
                ],
                usage=usage(_prompt_tokens(request), sum(len(reply.tokens) for reply in written)),
                system_fingerprint=FINGERPRINT,
            )

    async def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        """The reply word by word; see :class:`botkit.completion.Completion`."""
        refuse_unsupported_chat(request)
        blank = ChatCompletionChunk(
            id=_id("chatcmpl"),
            created=int(time.time()),
            model=self.model,
            choices=[],
            system_fingerprint=FINGERPRINT,
        )
        with self.counts.track():
            total = 0
            for index in range(request.n):
                reply = self._write(request, request.reply_limit)
                async for choice in self._chat_deltas(index, reply, request):
                    yield blank.model_copy(update={"choices": [choice]})
                total += len(reply.tokens)
            if request.include_usage:
                counted = usage(_prompt_tokens(request), total)
                yield blank.model_copy(update={"usage": counted})

    async def complete_text(self, request: TextCompletionRequest) -> TextCompletion:
        """The whole continuation of every prompt; see :class:`botkit.completion.TextCompleter`."""
        refuse_unsupported_text(request)
        with self.counts.track():
            replies = self._continuations(request)
            for reply in replies:
                await self._speak(reply)
            choices = [
                TextChoice(
                    index=index,
                    text=_echoed(request, index) + reply.text,
                    logprobs=_whole_logprobs(request, index, reply),
                    finish_reason=reply.finish_reason,
                )
                for index, reply in enumerate(replies)
            ]
            return self._text(choices, _text_usage(request, replies))

    async def stream_text(self, request: TextCompletionRequest) -> AsyncIterator[TextCompletion]:
        """The continuations word by word; see :class:`botkit.completion.TextCompleter`."""
        refuse_unsupported_text(request)
        with self.counts.track():
            replies = self._continuations(request)
            blank = self._text([], None)
            for index, reply in enumerate(replies):
                async for choice in self._text_deltas(index, reply, request):
                    yield blank.model_copy(update={"choices": [choice]})
            if request.include_usage:
                yield blank.model_copy(update={"usage": _text_usage(request, replies)})

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Bags of hashed words, of unit length."""
        size = request.dimensions or EMBEDDING_SIZE
        if size > EMBEDDING_SIZE:
            raise InvalidRequestError(
                f"This model's vectors have {EMBEDDING_SIZE} dimensions.",
                param="dimensions",
                code="invalid_value",
            )
        texts = [_prompt_text(entry) for entry in request.inputs]
        vectors = [embedding(text, size) for text in texts]
        base64 = request.encoding_format == "base64"
        tokens = sum(len(words(text)) for text in texts)
        return EmbeddingResponse(
            data=[
                Embedding(index=index, embedding=as_base64(vector) if base64 else vector)
                for index, vector in enumerate(vectors)
            ],
            model=self.model,
            usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
        )

    async def score(
        self, model: str, messages: Sequence[Message], reply: str
    ) -> Sequence[TokenLogprob]:
        """What the log-probabilities of a reply say that has the same words."""
        return chat_logprobs(tuple(words(reply)), 0).content or []

    async def likelihoods(self, model: str, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Higher for continuations whose words the context holds."""
        return [likelihood(context, continuation) for context, continuation in pairs]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words; see :class:`botkit.completion.TokenCounter`."""
        return [len(words(text)) for text in texts]

    def _next_reply(self, request: ChatCompletionRequest | TextCompletionRequest) -> Reply:
        if callable(self.replies):
            return self.replies(request)
        reply = self.replies[self._taken % len(self.replies)]
        self._taken += 1
        return reply

    def _write(
        self, request: ChatCompletionRequest | TextCompletionRequest, limit: int | None
    ) -> Written:
        reply = self._next_reply(request)
        if isinstance(reply, CompletionError):
            raise reply
        if isinstance(reply, Broken):
            return Written(tuple(words(reply.text)), "stop", reply.error)
        return write(reply, limit=limit, stops=request.stops)

    def _continuations(self, request: TextCompletionRequest) -> list[Written]:
        """``n`` per prompt; a reply function sees one prompt at a time."""
        single = [request.model_copy(update={"prompt": prompt}) for prompt in request.prompts]
        return [self._write(one, one.max_tokens) for one in single for _ in range(one.n)]

    async def _pause(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(self.delay)

    async def _speak(self, reply: Written) -> None:
        for _ in reply.tokens:
            await self._pause()
        if reply.error is not None:
            raise reply.error

    async def _chat_deltas(
        self, index: int, reply: Written, request: ChatCompletionRequest
    ) -> AsyncIterator[ChunkChoice]:
        role = Delta(role="assistant", content="", refusal=None)
        yield ChunkChoice(index=index, delta=role, logprobs=None, finish_reason=None)
        for token in reply.tokens:
            await self._pause()
            yield ChunkChoice(
                index=index,
                delta=Delta(content=token),
                logprobs=_chat_logprobs(request, (token,)),
                finish_reason=None,
            )
        if reply.error is not None:
            raise reply.error
        yield ChunkChoice(
            index=index, delta=Delta(), logprobs=None, finish_reason=reply.finish_reason
        )

    async def _text_deltas(
        self, index: int, reply: Written, request: TextCompletionRequest
    ) -> AsyncIterator[TextChoice]:
        prompt = _prompt_of(request, index)
        offset = 0 if request.echo else len(prompt)
        pieces = (tuple(words(prompt)) if request.echo else ()) + reply.tokens
        for token in pieces:
            await self._pause()
            yield TextChoice(
                index=index,
                text=token,
                logprobs=_text_logprobs(request, (token,), offset),
                finish_reason=None,
            )
            offset += len(token)
        if reply.error is not None:
            raise reply.error
        yield TextChoice(index=index, text="", logprobs=None, finish_reason=reply.finish_reason)

    def _text(self, choices: list[TextChoice], counted: Usage | None) -> TextCompletion:
        response = TextCompletion(
            id=_id("cmpl"),
            created=int(time.time()),
            model=self.model,
            choices=choices,
            system_fingerprint=FINGERPRINT,
        )
        return response if counted is None else response.model_copy(update={"usage": counted})


def echo_completion(settings: object) -> ScriptedCompletion:
    """A completion that repeats the last message; needs no model and no settings."""
    return ScriptedCompletion(replies=echo, model="echo")


def echo(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    """The text of the last message, or of the prompt."""
    if isinstance(request, ChatCompletionRequest):
        return message_text(request.messages[-1])
    return _prompt_text(request.prompts[0])


def _id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(12)}"


def _prompt_text(prompt: str | list[int]) -> str:
    return prompt if isinstance(prompt, str) else " ".join(map(str, prompt))


def _prompt_of(request: TextCompletionRequest, index: int) -> str:
    return _prompt_text(request.prompts[index // request.n])


def _echoed(request: TextCompletionRequest, index: int) -> str:
    return _prompt_of(request, index) if request.echo else ""


def _prompt_tokens(request: ChatCompletionRequest) -> int:
    return sum(len(words(message_text(message))) for message in request.messages)


def _text_usage(request: TextCompletionRequest, replies: list[Written]) -> Usage:
    read = sum(len(words(_prompt_text(prompt))) for prompt in request.prompts)
    return usage(read, sum(len(reply.tokens) for reply in replies))


def _chat_choice(index: int, reply: Written, request: ChatCompletionRequest) -> Choice:
    return Choice(
        index=index,
        message=ReplyMessage(content=reply.text, refusal=None),
        logprobs=_chat_logprobs(request, reply.tokens),
        finish_reason=reply.finish_reason,
    )


def _chat_logprobs(
    request: ChatCompletionRequest, tokens: tuple[str, ...]
) -> ChoiceLogprobs | None:
    return chat_logprobs(tokens, request.top_logprobs or 0) if request.logprobs else None


def _text_logprobs(
    request: TextCompletionRequest, tokens: tuple[str, ...], offset: int
) -> TextLogprobs | None:
    if request.logprobs is None:
        return None
    return text_logprobs(tokens, request.logprobs, offset)


def _whole_logprobs(
    request: TextCompletionRequest, index: int, reply: Written
) -> TextLogprobs | None:
    prompt = _prompt_of(request, index)
    if request.echo:
        return _text_logprobs(request, (*words(prompt), *reply.tokens), 0)
    return _text_logprobs(request, reply.tokens, len(prompt))
