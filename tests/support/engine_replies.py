"""Asking an engine for one reply."""

from __future__ import annotations

import numpy as np
from tiny_models import CONTEXT

from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Continuation, Engine
from botkit_models.engine.job import Finished, Token, Tokens
from botkit_models.engine.sampling import SamplingParams

SIZES = EngineConfig(slots=4, context=CONTEXT, queue=8)


def some_text(length: int, seed: int = 0) -> list[int]:
    """``length`` token ids of the tiny models' vocabulary, no special ones."""
    rng = np.random.default_rng((length, seed))
    return [int(id) for id in rng.integers(3, 272, length)]


def asked(text: list[int], budget: int, **params: object) -> Continuation:
    """A continuation of ``text``, with log-probabilities, so that every bit can be compared."""
    return Continuation(text, SamplingParams(**{"top_logprobs": 3, **params}), budget)


async def reply_to(engine: Engine, wanted: Continuation) -> tuple[list[Token], str]:
    """The whole reply, and why it ended."""
    tokens: list[Token] = []
    async with engine.generate([wanted]) as stream:
        async for _, event in stream:
            if isinstance(event, Tokens):
                tokens += event.tokens
            if isinstance(event, Finished):
                return tokens, event.reason
    raise AssertionError("the stream ended without a reason")
