"""``POST /telegram/webhook``: acknowledged once the update is on disk."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from botkit.errors import StoreError

logger = logging.getLogger(__name__)

PATH = "/telegram/webhook"
SECRET = "X-Telegram-Bot-Api-Secret-Token"
"""https://core.telegram.org/bots/api#setwebhook"""

RETRY_SECONDS = "5"


def webhook_handler(
    secret: str, take: Callable[[Mapping[str, Any]], Awaitable[None]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route's handler.

    Args:
        secret: What Telegram shows; empty refuses everybody.
        take: Keeps an update; ValueError for what is none.
    """

    async def webhook(request: web.Request) -> web.StreamResponse:
        shown = request.headers.get(SECRET, "").encode("utf-8", "replace")
        if not secret or not hmac.compare_digest(shown, secret.encode()):
            return _refusal(401, "the secret token is missing or wrong")
        try:
            update = json.loads(await request.read())
            if not isinstance(update, dict):
                raise ValueError("not an object")
            await take(update)
        except (ValueError, RecursionError):
            return _refusal(400, "the body is no update")
        except StoreError as error:
            logger.error("an update could not be kept: %s", error)
            return web.json_response(
                {"ok": False}, status=503, headers={"Retry-After": RETRY_SECONDS}
            )
        return web.json_response({"ok": True})

    return webhook


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"ok": False, "error": reason}, status=status)
