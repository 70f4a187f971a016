"""What a call of the Web API brings: its token and its arguments."""

from __future__ import annotations

import json

from aiohttp import web

from botkit.testing.slack.state import Json

OBJECTS = frozenset(
    {"attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts"}
)
"""Arguments that a form carries as JSON."""


def token_of(request: web.Request, given: Json) -> str:
    """The token, from the header or among the arguments."""
    header = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return header or str(given.get("token") or "")


async def arguments_of(request: web.Request) -> Json:
    """The arguments: JSON, or a form in which lists and objects are JSON text."""
    if request.content_type == "application/json":
        return dict(await request.json())
    given: Json = {}
    for name, value in {**request.query, **(await request.post())}.items():
        text = str(value)
        is_json = text[:1] in ("[", "{") and name in OBJECTS
        given[name] = json.loads(text) if is_json else text
    return given
