"""The async completion interface: what everything that generates speaks.

A completion is final or abstract, never both: these protocols carry no code. The chat interface
is what every completion has; text, embeddings and scoring are abilities that some have on top,
asked for with ``isinstance`` (the protocols are runtime-checkable).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    TokenLogprob,
)
from botkit.completion.embeddings import EmbeddingRequest, EmbeddingResponse
from botkit.completion.load import Load
from botkit.completion.messages import Message
from botkit.completion.model import Model
from botkit.completion.text import TextCompletion, TextCompletionRequest


@runtime_checkable
class Completion(Protocol):
    """Chat completions.

    Every method raises :class:`botkit.errors.CompletionError` and nothing else (besides
    cancellation). Cancelling the awaiting task, or closing the iterator, stops the generation.
    """

    @property
    def ready(self) -> bool:
        """True once a first short question would be answered at once.

        Rarer shapes (longer prompts, more requests at a time) may still load in the background.
        """
        ...

    async def start(self) -> None:
        """Load what is needed; returns when :attr:`ready`. Calling it again does nothing."""
        ...

    async def aclose(self) -> None:
        """Stop running requests and give back memory, threads and connections."""
        ...

    async def models(self) -> Sequence[Model]:
        """The models that requests may name."""
        ...

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """The whole reply (``request.stream`` is not looked at)."""
        ...

    def stream(self, request: ChatCompletionRequest) -> AsyncIterator[ChatCompletionChunk]:
        """The reply as it is written: per choice a role delta, content deltas, a finish reason;
        then, when ``stream_options.include_usage`` asks, one chunk with usage and no choices."""
        ...


@runtime_checkable
class TextCompleter(Protocol):
    """Legacy text completions."""

    async def complete_text(self, request: TextCompletionRequest) -> TextCompletion:
        """The whole continuation of every prompt."""
        ...

    def stream_text(self, request: TextCompletionRequest) -> AsyncIterator[TextCompletion]:
        """The continuations as they are written."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Vectors for texts."""

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """One unit-length vector per input."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """How likely words are that somebody else chose."""

    async def score(
        self, model: str, messages: Sequence[Message], reply: str
    ) -> Sequence[TokenLogprob]:
        """Each token of ``reply``, as the assistant's next message after ``messages``, and its
        log-probability in nats.

        Raises:
            ContextLengthError: The messages and the reply do not fit.
        """
        ...

    async def likelihoods(self, model: str, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each ``(context, continuation)`` of plain text: the mean log-probability, in nats
        per token, of the continuation's tokens after the context."""
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """How many tokens texts take."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Of each text, as the model reads it. Quick: it is called between two steps of a turn.

        Raises:
            CompletionUnavailableError: The model is not loaded yet.
        """
        ...


@runtime_checkable
class Versioned(Protocol):
    """Which version of a model answers, known before it does."""

    def version(self, model: str) -> str:
        """The ``system_fingerprint`` that replies will carry: while it is the same, so are they.

        Raises:
            CompletionUnavailableError: The model is not loaded yet.
        """
        ...


@runtime_checkable
class Loaded(Protocol):
    """A model in this process, with a queue of its own."""

    def load(self) -> Load | None:
        """What it has to do; None while the model is not there. Quick."""
        ...
