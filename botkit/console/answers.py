"""Responses of the console: JSON that nobody keeps, and errors as a sentence."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from botkit.types import Json

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""On everything that the console sends."""

API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def answer(value: Json, status: int = 200) -> web.Response:
    """A value as JSON."""
    headers = {**HEADERS, "Content-Security-Policy": API_POLICY}
    text = json.dumps(value, ensure_ascii=False, default=_shown)
    body = text.encode("utf-8", "replace")  # half a surrogate pair may be in what people write
    return web.Response(
        body=body, status=status, content_type="application/json", charset="utf-8", headers=headers
    )


def refusal(status: int, message: str, *, retry_after: int | None = None) -> web.Response:
    """An error, as a sentence for a person."""
    response = answer({"error": {"message": message}}, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if status == web.HTTPUnauthorized.status_code:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _shown(value: Any) -> str:
    return f"[{type(value).__name__}]"
