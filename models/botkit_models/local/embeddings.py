"""Embeddings over the engine: mean-pooled hidden states, unit length."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

from botkit.completion.embeddings import (
    Embedding,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
)
from botkit.errors import InvalidRequestError
from botkit_models.local.reading import vectors
from botkit_models.local.runtime import Runtime
from botkit_models.local.terms import reading_terms


async def embed(runtime: Runtime, request: EmbeddingRequest) -> EmbeddingResponse:
    """One vector per input; see :meth:`botkit.completion.protocol.Embedder.embed`."""
    runtime.check_model(request.model)
    size = runtime.engine.model.config.hidden_size
    if request.dimensions is not None and request.dimensions > size:
        raise InvalidRequestError(
            f"'dimensions' is {request.dimensions}; this model's vectors have {size}.",
            param="dimensions",
        )
    texts = [runtime.prompts.of_text(text, "input") for text in request.inputs]
    for ids in texts:
        runtime.prompts.fits(ids, "input")
    terms = reading_terms(request, texts, runtime.engine.config.slots)
    pooled = await vectors(runtime, texts, terms)
    count = sum(len(ids) for ids in texts)
    return EmbeddingResponse(
        data=[
            Embedding(index=index, embedding=_wire(_unit(vector, request.dimensions), request))
            for index, vector in enumerate(pooled)
        ],
        model=runtime.name,
        usage=EmbeddingUsage(prompt_tokens=count, total_tokens=count),
    )


def _unit(vector: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """The first ``dimensions`` numbers, scaled to length 1."""
    kept = vector[:dimensions]
    return kept / max(float(np.linalg.norm(kept)), 1e-12)


def _wire(vector: NDArray[np.float32], request: EmbeddingRequest) -> list[float] | str:
    if request.encoding_format == "base64":
        return b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(value) for value in vector]
