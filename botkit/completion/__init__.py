"""The completion interface: the OpenAI wire schema, the protocol, and its implementations."""

from botkit.completion.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    Choice,
    ChunkChoice,
    Delta,
    FinishReason,
    ReplyMessage,
)
from botkit.completion.embeddings import EmbeddingRequest, EmbeddingResponse
from botkit.completion.messages import Message, message_text
from botkit.completion.model import Model
from botkit.completion.parse import parse_request
from botkit.completion.protocol import (
    Completion,
    Embedder,
    Scorer,
    TextCompleter,
    TokenCounter,
)
from botkit.completion.text import TextCompletion, TextCompletionRequest
from botkit.completion.usage import Usage

__all__ = [
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "Choice",
    "ChunkChoice",
    "Completion",
    "Delta",
    "Embedder",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "FinishReason",
    "Message",
    "Model",
    "ReplyMessage",
    "Scorer",
    "TextCompleter",
    "TextCompletion",
    "TextCompletionRequest",
    "TokenCounter",
    "Usage",
    "message_text",
    "parse_request",
]
