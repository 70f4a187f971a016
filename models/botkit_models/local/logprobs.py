"""The engine's log-probabilities in the two shapes OpenAI has for them."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.completion.chat import ChoiceLogprobs, TokenLogprob, TopLogprob
from botkit.completion.text import TextLogprobs
from botkit_models.engine.job import Token
from botkit_models.tokenizer import Tokenizer

NEVER = -9999.0  # what OpenAI sends where JSON has no minus infinity


def chat_logprobs(tokenizer: Tokenizer, tokens: Sequence[Token]) -> ChoiceLogprobs:
    """Chat Completions: every token with its exact bytes."""
    return ChoiceLogprobs(content=[_token(tokenizer, token) for token in tokens])


def text_logprobs(
    tokenizer: Tokenizer, tokens: Sequence[Token], offset: int, *, top: int
) -> TextLogprobs:
    """Legacy completions: parallel lists; the first token begins ``offset`` characters in.

    ``tokens`` without a log-probability (the first of a prompt) have null.
    """
    texts = [_text(tokenizer.token_bytes(token.id)) for token in tokens]
    offsets = []
    for text in texts:
        offsets.append(offset)
        offset += len(text)
    logprobs = TextLogprobs(
        tokens=texts,
        token_logprobs=[None if t.logprob is None else _finite(t.logprob) for t in tokens],
        text_offset=offsets,
    )
    if not top:
        return logprobs
    tops = [_top(tokenizer, token) if token.logprob is not None else None for token in tokens]
    return logprobs.model_copy(update={"top_logprobs": tops})


def _token(tokenizer: Tokenizer, token: Token) -> TokenLogprob:
    raw = tokenizer.token_bytes(token.id)
    tops = []
    for id, logprob in token.top:
        data = tokenizer.token_bytes(id)
        tops.append(TopLogprob(token=_text(data), logprob=_finite(logprob), bytes=list(data)))
    logprob = _finite(token.logprob or 0.0)
    return TokenLogprob(token=_text(raw), logprob=logprob, bytes=list(raw), top_logprobs=tops)


def _top(tokenizer: Tokenizer, token: Token) -> dict[str, float]:
    top: dict[str, float] = {}
    for id, logprob in token.top:
        top.setdefault(_text(tokenizer.token_bytes(id)), _finite(logprob))
    return top


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _finite(logprob: float) -> float:
    return max(logprob, NEVER)
