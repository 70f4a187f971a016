"""``GET /v1/models`` and the older ``/v1/engines``."""

from __future__ import annotations

from aiohttp import web

from botkit.completion.model import Engine, EngineList, Model, ModelList
from botkit.server.replies import json_reply
from botkit.server.service import SERVICE


async def list_models(request: web.Request) -> web.StreamResponse:
    """Every model id that requests may name."""
    service = request.app[SERVICE]
    service.check_ready()
    return json_reply(ModelList(data=list(await service.completion.models())))


async def get_model(request: web.Request) -> web.StreamResponse:
    """The model that an id or an alias means."""
    return json_reply(await request.app[SERVICE].model(request.match_info["model"]))


async def list_engines(request: web.Request) -> web.StreamResponse:
    """The models, in the older shape."""
    service = request.app[SERVICE]
    service.check_ready()
    models = await service.completion.models()
    return json_reply(EngineList(data=[_engine(model) for model in models]))


async def get_engine(request: web.Request) -> web.StreamResponse:
    """One model, in the older shape."""
    return json_reply(_engine(await request.app[SERVICE].model(request.match_info["engine"])))


def _engine(model: Model) -> Engine:
    return Engine(id=model.id, owner=model.owned_by, ready=True)
