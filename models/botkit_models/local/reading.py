"""Texts that are only read: each distinct one once, and none that was read lately."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from botkit_models.engine.job import Token
from botkit_models.engine.terms import Terms
from botkit_models.local.runtime import Runtime

Ids = tuple[int, ...]


async def vectors(
    runtime: Runtime, texts: Sequence[Sequence[int]], terms: Terms
) -> list[NDArray[np.float32]]:
    """The pooled hidden states ``[E]`` float32 of each text (token ids, at least one)."""
    kind = f"vector {runtime.fingerprint}"
    found = {ids: runtime.results.get(kind, ids) for ids in map(tuple, texts)}
    missing = [ids for ids, vector in found.items() if vector is None]
    pooled = await runtime.engine.embed(missing, terms, runtime.adapter)
    for ids, vector in zip(missing, pooled, strict=True):
        runtime.results.put(kind, ids, vector)
        found[ids] = vector
    return [_there(found[tuple(text)]) for text in texts]


async def scores(
    runtime: Runtime, texts: Sequence[Sequence[int]], terms: Terms
) -> list[tuple[Token, ...]]:
    """The log-probability (nats) of every token of each text after the first."""
    kind = f"score {runtime.fingerprint}"
    found = {ids: runtime.results.get(kind, ids) for ids in map(tuple, texts)}
    missing = [ids for ids, row in found.items() if row is None]
    read = await runtime.engine.score(missing, terms=terms, adapter=runtime.adapter)
    for ids, tokens in zip(missing, read, strict=True):
        row = np.array([token.logprob for token in tokens], np.float32)
        runtime.results.put(kind, ids, row)
        found[ids] = row
    return [_tokens(tuple(text), _there(found[tuple(text)])) for text in texts]


def _tokens(ids: Ids, row: NDArray[np.float32]) -> tuple[Token, ...]:
    return tuple(Token(id, value) for id, value in zip(ids[1:], row.tolist(), strict=True))


def _there(array: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert array is not None  # every text was in the cache or has been read
    return array
