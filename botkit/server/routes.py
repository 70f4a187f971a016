"""Every route, once: the application registers them and the OpenAPI document lists them."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp.typedefs import Handler

from botkit.completion import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    Model,
    TextCompletion,
    TextCompletionRequest,
)
from botkit.completion.edits import Edit, EditRequest
from botkit.completion.messages import Wire
from botkit.completion.model import Engine, EngineList, ModelList
from botkit.completion.search import SearchRequest, SearchResponse
from botkit.completion.usage import WireOut
from botkit.server import chat, health, models, text
from botkit.server.health import Health


@dataclass(frozen=True)
class Route:
    """One operation.

    Fields:
        method, path: As aiohttp's router has them.
        handler: Who answers; its docstring is the summary.
        response: The type of a 200.
        request: The type of the body, or None.
        event: The type of each event where a stream can be asked for, or None.
    """

    method: str
    path: str
    handler: Handler
    response: type[WireOut]
    request: type[Wire] | None = None
    event: type[WireOut] | None = None


_WRITING: list[tuple[str, Handler, type[WireOut], type[Wire]]] = [
    ("chat/completions", chat.chat_completions, ChatCompletion, ChatCompletionRequest),
    ("completions", text.completions, TextCompletion, TextCompletionRequest),
    ("embeddings", text.embeddings, EmbeddingResponse, EmbeddingRequest),
    ("edits", chat.edits, Edit, EditRequest),
]
_EVENTS: dict[str, type[WireOut]] = {
    "chat/completions": ChatCompletionChunk,
    "completions": TextCompletion,
}

ROUTES: list[Route] = [
    *(
        Route("POST", f"{prefix}/{name}", handler, response, request, _EVENTS.get(name))
        # Clients of 2021 name the model in the path.
        for prefix in ("/v1", "/v1/engines/{engine}")
        for name, handler, response, request in _WRITING
    ),
    Route("POST", "/v1/engines/{engine}/search", text.search, SearchResponse, SearchRequest),
    Route("GET", "/v1/models", models.list_models, ModelList),
    Route("GET", "/v1/models/{model:.+}", models.get_model, Model),
    Route("GET", "/v1/engines", models.list_engines, EngineList),
    Route("GET", "/v1/engines/{engine}", models.get_engine, Engine),
    Route("GET", "/healthz", health.healthz, Health),
    Route("GET", "/readyz", health.readyz, Health),
]
