"""``/healthz``: the process is alive. ``/readyz``: a request would be answered."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from botkit.completion.usage import WireOut
from botkit.server.replies import json_reply
from botkit.server.service import SERVICE


class Health(WireOut):
    """Whether the service can answer, and if not, why."""

    status: Literal["ok", "unavailable"]
    reason: str | None = None


async def healthz(request: web.Request) -> web.StreamResponse:
    """200 as long as the process answers at all."""
    return json_reply(Health(status="ok"))


async def readyz(request: web.Request) -> web.StreamResponse:
    """200 when the model can answer, else 503 with the reason."""
    reason = request.app[SERVICE].not_ready
    if reason is None:
        return json_reply(Health(status="ok"))
    response = json_reply(Health(status="unavailable", reason=reason))
    response.set_status(503)
    response.headers["Retry-After"] = "1"
    return response
