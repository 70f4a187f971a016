"""Embeddings: request and response.

Source: OpenAI OpenAPI 2.3.0, ``CreateEmbeddingRequest`` and ``CreateEmbeddingResponse``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from botkit.completion.deadline import Deadline
from botkit.completion.messages import Wire
from botkit.completion.text import Tokens
from botkit.completion.usage import WireOut

MAX_INPUTS = 2048

EmbeddingInput = (
    Annotated[str, Field(min_length=1)]
    | Annotated[
        list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=MAX_INPUTS)
    ]
    | Tokens
    | Annotated[list[Tokens], Field(min_length=1, max_length=MAX_INPUTS)]
)


class EmbeddingRequest(Wire):
    """Vectors for texts or token ids. ``dimensions`` keeps the first so many, renormalised;
    ``deadline``, an extension, is how many seconds they are waited for."""

    model: Annotated[str, Field(min_length=1)]
    input: EmbeddingInput
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None
    deadline: Deadline = None

    @property
    def inputs(self) -> list[str | list[int]]:
        """One entry per vector asked for, each a text or token ids."""
        if isinstance(self.input, str):
            return [self.input]
        if isinstance(self.input[0], int):
            return [[token for token in self.input if isinstance(token, int)]]
        return [entry for entry in self.input if not isinstance(entry, int)]


class Embedding(WireOut):
    """One vector: floats, or base64 of little-endian float32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(WireOut):
    """Tokens read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingResponse(WireOut):
    """The vectors, in the order of the input."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
