"""``POST /v1/completions``, ``/v1/embeddings`` and the legacy search."""

from __future__ import annotations

from aiohttp import web

from botkit.completion import (
    Embedder,
    EmbeddingRequest,
    Scorer,
    TextCompleter,
    TextCompletionRequest,
)
from botkit.completion.deadline import in_time
from botkit.completion.search import SearchRequest, SearchResponse
from botkit.completion.support import refuse_unsupported
from botkit.errors import UnsupportedEndpointError
from botkit.server.replies import json_reply
from botkit.server.service import accept
from botkit.server.sse import send_events


async def completions(request: web.Request) -> web.StreamResponse:
    """The continuation of one or more texts, whole or streamed."""
    service, body = await accept(request, TextCompletionRequest)
    completer = service.completion
    if not isinstance(completer, TextCompleter):
        raise UnsupportedEndpointError("text completions")
    if body.stream:
        parts = completer.stream_text(body)
        return await send_events(
            request, parts, include_usage=body.include_usage, deadline=body.deadline
        )
    async with in_time(body.deadline):
        return json_reply(await completer.complete_text(body))


async def embeddings(request: web.Request) -> web.StreamResponse:
    """Vectors for texts."""
    service, body = await accept(request, EmbeddingRequest)
    if not isinstance(service.completion, Embedder):
        raise UnsupportedEndpointError("embeddings")
    async with in_time(body.deadline):
        return json_reply(await service.completion.embed(body))


async def search(request: web.Request) -> web.StreamResponse:
    """Documents scored against a query."""
    service, body = await accept(request, SearchRequest)
    refuse_unsupported(body, {"file": (), "max_rerank": (), "return_metadata": (False,)})
    if not isinstance(service.completion, Scorer):
        raise UnsupportedEndpointError("search")
    async with in_time(body.deadline):
        scores = await service.completion.likelihoods(body.model, body.pairs())
    return json_reply(SearchResponse.from_scores(body.model, scores))
