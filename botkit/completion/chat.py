"""Chat Completions: request, response and chunk.

Source: OpenAI OpenAPI 2.3.0, ``CreateChatCompletionRequest``, ``CreateChatCompletionResponse``
and ``CreateChatCompletionStreamResponse``. Every documented field is typed here; whether it is
obeyed is the completion's word (:mod:`botkit.completion.support`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from botkit.completion.messages import Message
from botkit.completion.sampling import SamplingFields, StreamOptions
from botkit.completion.usage import ALWAYS_SENT, Usage, WireOut
from botkit.errors import InvalidRequestError
from botkit.spans import NO_SPAN, Span

MAX_TOP_LOGPROBS = 20

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
ServiceTier = Literal["auto", "default", "flex", "scale", "priority"]


class ChatCompletionRequest(SamplingFields):
    """One request for the next message of a conversation.

    Two extensions that vLLM has too. ``continue_final_message``: the last message is the
    assistant's, and the reply goes on in the middle of it. ``structured_outputs``: the form of the
    reply, see :mod:`botkit.completion.formats`.
    """

    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    function_call: str | dict[str, Any] | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    web_search_options: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: ServiceTier | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    continue_final_message: bool | None = None
    structured_outputs: dict[str, Any] | None = None

    _span: Span = PrivateAttr(default_factory=lambda: NO_SPAN)

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.top_logprobs and not self.logprobs:
            raise InvalidRequestError(
                "'top_logprobs' is only allowed when 'logprobs' is true.", param="top_logprobs"
            )
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise InvalidRequestError(
                "'max_tokens' and 'max_completion_tokens' cannot both be set; "
                "use 'max_completion_tokens'.",
                param="max_tokens",
            )
        if self.continue_final_message and self.messages[-1].role != "assistant":
            raise InvalidRequestError(
                "'continue_final_message' needs a last message of role 'assistant'.",
                param="continue_final_message",
            )
        return self

    @property
    def span(self) -> Span:
        """Whose part the answering is; it stays with copies, and is never on the wire."""
        return self._span

    def within(self, span: Span) -> Self:
        """This request, as a part of ``span``."""
        self._span = span
        return self

    def telling_usage(self) -> Self:
        """This request, as a stream that ends with its usage."""
        options = StreamOptions(include_usage=True)
        if self.stream_options is not None:
            options = self.stream_options.model_copy(update={"include_usage": True})
        return self.model_copy(update={"stream": True, "stream_options": options})

    @property
    def reply_limit(self) -> int | None:
        """The most tokens a reply may have, or None for as many as fit."""
        if self.max_completion_tokens is not None:
            return self.max_completion_tokens
        return self.max_tokens


class TopLogprob(WireOut):
    """One alternative at a position."""

    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(WireOut):
    """The drawn token at a position, and the likeliest ones."""

    token: str
    logprob: float
    bytes: list[int] | None
    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(WireOut):
    """Log-probabilities of a reply or of a delta of it."""

    content: list[TokenLogprob] | None
    refusal: Annotated[list[TokenLogprob] | None, ALWAYS_SENT] = None


class ToolCallFunction(WireOut):
    """Name and JSON arguments of a call."""

    name: str | None = None
    arguments: str | None = None


class ReplyToolCall(WireOut):
    """A tool call in a reply; in a delta, ``index`` tells which."""

    index: int | None = None
    id: str | None = None
    type: Literal["function"] | None = None
    function: ToolCallFunction | None = None


class ReplyMessage(WireOut):
    """The message the model wrote.

    ``reasoning_content``, an extension that DeepSeek began and others took over: what the model
    thought before it answered.
    """

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning_content: str | None = None
    refusal: str | None
    tool_calls: list[ReplyToolCall] | None = None
    function_call: ToolCallFunction | None = None


class Choice(WireOut):
    """One finished reply."""

    index: int
    message: ReplyMessage
    logprobs: ChoiceLogprobs | None
    finish_reason: FinishReason


class ChatCompletion(WireOut):
    """The response to a request that did not stream."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage | None = None
    service_tier: ServiceTier | None = None
    system_fingerprint: str | None = None


class Delta(WireOut):
    """What a chunk adds to a reply."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[ReplyToolCall] | None = None
    function_call: ToolCallFunction | None = None


class ChunkChoice(WireOut):
    """One reply's part of a chunk."""

    index: int
    delta: Delta
    logprobs: ChoiceLogprobs | None = None
    finish_reason: FinishReason | None


class ChatCompletionChunk(WireOut):
    """One event of a stream. The usage chunk has no choices."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    service_tier: ServiceTier | None = None
    system_fingerprint: str | None = None


class CutChunk(ChatCompletionChunk):
    """Ends a reply sooner than the request said: asked again, it may be longer."""

    @classmethod
    def of(cls, chunk: ChatCompletionChunk, choices: list[ChunkChoice] | None = None) -> CutChunk:
        """As ``chunk``, or with ``choices`` in the place of its own."""
        values = dict(chunk)
        if choices is not None:
            values["choices"] = choices
        return cls.model_construct(chunk.model_fields_set, **values)
