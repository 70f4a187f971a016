"""Log-likelihood of texts over the engine."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.completion.chat import TokenLogprob
from botkit.completion.messages import Message
from botkit_models.engine.terms import ORDINARY, Terms
from botkit_models.local.logprobs import chat_logprobs
from botkit_models.local.reading import scores
from botkit_models.local.runtime import Runtime


async def score(
    runtime: Runtime, model: str, messages: Sequence[Message], reply: str
) -> list[TokenLogprob]:
    """Each token of a reply after a conversation, with its log-probability (nats).

    See :meth:`botkit.completion.protocol.Scorer.score`.
    """
    runtime.check_model(model)
    prompt = runtime.prompts.of_chat(messages)
    following = runtime.tokenizer.encode(reply)
    text = [*prompt, *following]
    runtime.prompts.fits(text, "reply")
    if not following:
        return []
    (tokens,) = await scores(runtime, [text], ORDINARY)
    return chat_logprobs(runtime.tokenizer, tokens[-len(following) :]).content or []


async def likelihoods(
    runtime: Runtime, model: str, pairs: Sequence[tuple[str, str]]
) -> list[float]:
    """Mean log-probability (nats per token) of each continuation after its context.

    See :meth:`botkit.completion.protocol.Scorer.likelihoods`. An empty continuation scores 0.
    """
    runtime.check_model(model)
    texts: list[list[int]] = []
    lengths: list[int] = []
    for context, continuation in pairs:
        ids = runtime.prompts.of_text(context, "context")
        following = runtime.tokenizer.encode(continuation)
        texts.append([*ids, *following])
        lengths.append(len(following))
    for ids in texts:
        runtime.prompts.fits(ids, "documents")
    many = len(texts) > runtime.engine.config.slots
    scored = await scores(runtime, texts, Terms("batch") if many else ORDINARY)
    return [
        sum(token.logprob or 0.0 for token in tokens[len(tokens) - length :]) / max(length, 1)
        for tokens, length in zip(scored, lengths, strict=True)
    ]
