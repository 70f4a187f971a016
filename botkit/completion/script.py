"""What a scripted completion says: words as tokens, with made-up but steady log-probabilities."""

from __future__ import annotations

import math
import re
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from botkit.completion.chat import (
    ChatCompletionRequest,
    ChoiceLogprobs,
    TokenLogprob,
    TopLogprob,
)
from botkit.completion.text import TextCompletionRequest, TextLogprobs
from botkit.errors import CompletionError

EMBEDDING_SIZE = 16


@dataclass(frozen=True)
class Broken:
    """A reply that breaks off: ``text`` is written, then ``error`` is raised."""

    text: str
    error: CompletionError


Reply = str | CompletionError | Broken
ReplyFunction = Callable[[ChatCompletionRequest | TextCompletionRequest], Reply]


@dataclass(frozen=True)
class Written:
    """A reply after stop texts and the length limit: its tokens, and why it ended or broke."""

    tokens: tuple[str, ...]
    finish_reason: Literal["stop", "length"]
    error: CompletionError | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.tokens)


def words(text: str) -> list[str]:
    """Split into words, each with the whitespace before it; joined they are the text again.

    >>> words("to be  or")
    ['to', ' be', '  or']
    """
    tokens: list[str] = re.findall(r"\s*\S+|\s+\Z", text)
    return tokens


def write(text: str, *, limit: int | None, stops: tuple[str, ...]) -> Written:
    """Cut ``text`` before the first stop text and after ``limit`` words."""
    cuts = [place for stop in stops if (place := text.find(stop)) >= 0]
    tokens = words(text[: min(cuts)] if cuts else text)
    if limit is not None and len(tokens) >= limit and not (cuts and len(tokens) == limit):
        return Written(tuple(tokens[:limit]), "length")
    return Written(tuple(tokens), "stop")


def logprob(token: str) -> float:
    """A log-probability in nats between -1 and -0.01 that depends on the token alone."""
    return -0.01 - (zlib.crc32(token.encode()) % 99) / 100


def alternatives(token: str, count: int) -> list[tuple[str, float]]:
    """The ``count`` likeliest tokens: the token itself, then invented ones, likeliest first."""
    best = logprob(token)
    rest = [(f"{token}~{place}", best - place) for place in range(1, count)]
    return [(token, best), *rest][:count]


def chat_logprobs(tokens: tuple[str, ...], top: int) -> ChoiceLogprobs:
    """Log-probabilities of tokens of a chat reply."""
    return ChoiceLogprobs(content=[_token_logprob(token, top) for token in tokens])


def _token_logprob(token: str, top: int) -> TokenLogprob:
    tops = [
        TopLogprob(token=text, logprob=value, bytes=list(text.encode()))
        for text, value in alternatives(token, top)
    ]
    return TokenLogprob(
        token=token, logprob=logprob(token), bytes=list(token.encode()), top_logprobs=tops
    )


def text_logprobs(tokens: tuple[str, ...], top: int, offset: int) -> TextLogprobs:
    """Log-probabilities of text tokens of which the first begins ``offset`` characters in."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token)
    logprobs = TextLogprobs(
        tokens=list(tokens),
        token_logprobs=[logprob(token) for token in tokens],
        text_offset=offsets,
    )
    tops = [dict(alternatives(token, top)) for token in tokens]
    return logprobs.model_copy(update={"top_logprobs": tops}) if top else logprobs


def embedding(text: str, size: int) -> list[float]:
    """A unit-length vector: each word adds one to the place its hash names."""
    vector = [1e-3] * EMBEDDING_SIZE
    for word in text.lower().split():
        vector[zlib.crc32(word.encode()) % EMBEDDING_SIZE] += 1.0
    kept = vector[:size]
    length = math.sqrt(sum(value * value for value in kept))
    return [value / length for value in kept]


def as_base64(vector: list[float]) -> str:
    """Base64 of little-endian float32, as ``encoding_format="base64"`` asks."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def likelihood(context: str, continuation: str) -> float:
    """Mean log-probability in nats: words that the context holds are likelier."""
    known = set(context.lower().split())
    tokens = continuation.lower().split() or [""]
    return sum(-0.5 if token in known else -3.0 for token in tokens) / len(tokens)
