"""Legacy text completions (``/v1/completions``): request, response.

Source: OpenAI OpenAPI 2.3.0, ``CreateCompletionRequest`` and ``CreateCompletionResponse``.
A stream sends the response type itself, once per delta.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from botkit.completion.sampling import SamplingFields
from botkit.completion.usage import Usage, WireOut
from botkit.errors import InvalidRequestError

DEFAULT_MAX_TOKENS = 16
MAX_BEST_OF = 20
MAX_LOGPROBS = 5
MAX_REPLIES = 1024

Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
Prompt = (
    str
    | Annotated[list[str], Field(min_length=1)]
    | Tokens
    | Annotated[list[Tokens], Field(min_length=1)]
)


class TextCompletionRequest(SamplingFields):
    """Continue a text. ``prompt`` is a text, texts, token ids, or lists of token ids."""

    model: Annotated[str, Field(min_length=1)]
    prompt: Prompt = ""
    suffix: str | None = None
    max_tokens: Annotated[
        int,
        Field(ge=0),
        BeforeValidator(lambda value: DEFAULT_MAX_TOKENS if value is None else value),
    ] = DEFAULT_MAX_TOKENS
    logprobs: Annotated[int, Field(ge=0, le=MAX_LOGPROBS)] | None = None
    echo: Annotated[bool, BeforeValidator(lambda value: False if value is None else value)] = False
    best_of: Annotated[int, Field(ge=0, le=MAX_BEST_OF)] | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.best_of is not None and self.best_of < self.n:
            raise InvalidRequestError(
                f"'best_of' ({self.best_of}) must be at least 'n' ({self.n}).", param="best_of"
            )
        if self.stream and self.best_of is not None and self.best_of > self.n:
            raise InvalidRequestError(
                "'best_of' cannot be streamed: which reply is best is known only at the end.",
                param="best_of",
            )
        if len(self.prompts) * max(self.n, self.best_of or 0) > MAX_REPLIES:
            raise InvalidRequestError(
                f"One request may ask for at most {MAX_REPLIES} replies, over all prompts.",
                param="prompt",
            )
        return self

    @property
    def prompts(self) -> list[str | list[int]]:
        """One entry per prompt, each a text or token ids."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        if isinstance(self.prompt[0], int):
            return [[token for token in self.prompt if isinstance(token, int)]]
        return [entry for entry in self.prompt if not isinstance(entry, int)]


class TextLogprobs(WireOut):
    """Log-probabilities, one entry per token; the very first prompt token has none.

    ``top_logprobs`` is absent when none were asked for.
    """

    tokens: list[str]
    token_logprobs: list[float | None]
    text_offset: list[int]
    top_logprobs: list[dict[str, float] | None] | None = None


class TextChoice(WireOut):
    """One continuation, or a delta of it while streaming."""

    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: Literal["stop", "length", "content_filter"] | None


class TextCompletion(WireOut):
    """The response, and each event of a stream."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage | None = None
    system_fingerprint: str | None = None
