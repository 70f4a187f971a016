"""``POST /v1/chat/completions`` and, through it, the legacy ``POST /v1/edits``."""

from __future__ import annotations

from aiohttp import web

from botkit.completion import ChatCompletionRequest
from botkit.completion.deadline import in_time
from botkit.completion.edits import Edit, EditRequest
from botkit.server.replies import json_reply
from botkit.server.service import accept
from botkit.server.sse import send_events


async def chat_completions(request: web.Request) -> web.StreamResponse:
    """The next message of a conversation, whole or streamed."""
    service, body = await accept(request, ChatCompletionRequest)
    if body.stream:
        chunks = service.completion.stream(body)
        return await send_events(
            request, chunks, include_usage=body.include_usage, deadline=body.deadline
        )
    async with in_time(body.deadline):
        return json_reply(await service.completion.complete(body))


async def edits(request: web.Request) -> web.StreamResponse:
    """A text changed as an instruction says."""
    service, body = await accept(request, EditRequest)
    async with in_time(body.deadline):
        return json_reply(Edit.from_chat(await service.completion.complete(body.as_chat())))
