"""Log-likelihood of texts over the engine."""

from __future__ import annotations

from collections.abc import Sequence

from botkit_models.local.runtime import Runtime


async def score(runtime: Runtime, model: str, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Mean log-probability (nats per token) of each continuation after its context.

    See :meth:`botkit.completion.protocol.Scorer.score`. An empty continuation scores 0.
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
    scored = await runtime.engine.score(texts)
    return [
        sum(token.logprob or 0.0 for token in tokens[len(tokens) - length :]) / max(length, 1)
        for tokens, length in zip(scored, lengths, strict=True)
    ]
