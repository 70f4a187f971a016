"""The arguments of a call, whichever way they came.

https://core.telegram.org/bots/api#making-requests: a query, a form, a form with files, or JSON. In
forms numbers, switches, lists and objects are text; only a parameter's name tells that "5" is a
text here and a number there.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from botkit.testing.telegram.state import ApiError, Json

TEXTS = frozenset(
    {"text", "caption", "parse_mode", "action", "url", "secret_token", "language_code", "title"}
    | {"callback_query_id", "file_id", "business_connection_id", "message_effect_id", "emoji"}
    | {"inline_message_id", "performer", "ip_address"}
)
FILES = frozenset({"photo", "document", "voice", "audio", "thumbnail", "certificate"})
OBJECTS = frozenset(
    {"entities", "caption_entities", "reply_markup", "reply_parameters", "commands", "scope"}
    | {"link_preview_options", "allowed_updates", "media", "reaction"}
)


async def arguments_of(request: web.Request) -> Json:
    """Names and values, decoded.

    Raises:
        ApiError: An object is no JSON.
    """
    if request.content_type == "application/json":
        return _object(await request.text())
    given: Json = {name: _decoded(name, value) for name, value in request.query.items()}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            given[name] = (value.filename, value.file.read())
        else:
            given[name] = _decoded(name, str(value))
    return _attached(given)


def _object(body: str) -> Json:
    try:
        given = json.loads(body or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ApiError(400, "Bad Request: can't parse request: body is not a JSON object")
    return given


def _attached(given: Json) -> Json:
    """A file may be named by another field: ``attach://NAME``."""
    named = {
        name: str(value)[9:]
        for name, value in given.items()
        if isinstance(value, str) and value.startswith("attach://")
    }
    kept = {name: value for name, value in given.items() if name not in named.values()}
    return {**kept, **{name: given.get(other) for name, other in named.items()}}


def _decoded(name: str, text: str) -> Any:
    if name in TEXTS or name in FILES or not text:
        return text
    try:
        value = json.loads(text)
    except ValueError:
        if name in OBJECTS:
            raise ApiError(400, f"Bad Request: can't parse {name}: not a JSON object") from None
        return text
    return value if isinstance(value, list | dict | bool | int | float) else text
