"""The OpenAPI 3.1 document, made from the wire types and the routes."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from aiohttp import web
from pydantic.json_schema import models_json_schema

from botkit.completion.usage import WireOut
from botkit.server.routes import ROUTES, Route
from botkit.server.sse import DONE

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(:[^}]*)?\}")
Mode = Literal["validation", "serialization"]


class ErrorFields(WireOut):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorResponse(WireOut):
    """OpenAI's error shape."""

    error: ErrorFields


async def openapi_json(request: web.Request) -> web.StreamResponse:
    """This document."""
    return web.Response(text=_text(), content_type="application/json")


@functools.cache
def _text() -> str:
    return json.dumps(openapi_document(ROUTES))


def openapi_document(routes: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of ``routes``."""
    routes = list(routes)
    requests = [(route.request, "validation") for route in routes if route.request]
    answers = {kind for route in routes for kind in (route.response, route.event) if kind}
    responses = [(kind, "serialization") for kind in sorted(answers, key=lambda k: k.__name__)]
    kinds: Any = [*dict.fromkeys(requests), *responses, (ErrorResponse, "serialization")]
    references, definitions = models_json_schema(kinds, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "botkit",
            "version": importlib.metadata.version("botkit"),
            "description": "An OpenAI-compatible completion service.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(route: Route, references: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _identifier(route),
        "summary": (route.handler.__doc__ or "").strip(),
        "responses": {
            "200": _answer(route, references),
            "default": {
                "description": "An error.",
                "content": _json(references[ErrorResponse, "serialization"]),
            },
        },
    }
    if names := _PARAMETER.findall(route.path):
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name, _ in names
        ]
    if route.request is not None:
        schema = references[route.request, "validation"]
        operation["requestBody"] = {"required": True, "content": _json(schema)}
    return operation


def _answer(route: Route, references: Any) -> dict[str, Any]:
    content = _json(references[route.response, "serialization"])
    if route.event is not None:
        content["text/event-stream"] = {"schema": _event(references[route.event, "serialization"])}
    return {"description": (route.response.__doc__ or "").strip(), "content": content}


def _event(schema: Any) -> dict[str, Any]:
    """One server-sent event, as OpenAPI 3.2 describes them; the last one's data is ``[DONE]``."""
    chunk = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    data = {"anyOf": [{"const": DONE}, chunk]}
    return {"type": "object", "required": ["data"], "properties": {"data": data}}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _identifier(route: Route) -> str:
    words = re.findall(r"\w+", _PARAMETER.sub(r"\1", route.path.removeprefix("/v1")))
    return "_".join([route.method.lower(), *words])
