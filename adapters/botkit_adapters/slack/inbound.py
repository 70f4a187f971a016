"""``POST /slack/events``: events, slash commands and interactions, acknowledged once on disk."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from botkit.errors import StoreError
from botkit_adapters.slack.parse import (
    Ignored,
    Parsed,
    parse_command,
    parse_envelope,
    parse_interaction,
)
from botkit_adapters.slack.signature import genuine

logger = logging.getLogger(__name__)

Take = Callable[[Parsed], Awaitable[None]]


def events_handler(
    secret: str, bot_user: Callable[[str], str], take: Take
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route's handler.

    Args:
        secret: The signing secret.
        bot_user: The bot's user id in a workspace; empty when it is not known.
        take: Keeps what was parsed.
    """

    async def events(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not secret or not genuine(secret, timestamp, signature, body, time.time()):
            return _refusal(401, "the signature is missing, wrong or too old")
        try:
            payload = decode(request.content_type, body)
            if payload.get("type") == "url_verification":
                return web.json_response({"challenge": str(payload.get("challenge", ""))})
            await take(parse(payload, bot_user))
        except (ValueError, RecursionError):
            return _refusal(400, "the body is none of Slack's")
        except StoreError as error:
            logger.error("an event could not be kept: %s", error)
            return _refusal(503, "the event could not be kept")
        return web.Response()

    return events


def decode(content_type: str, body: bytes) -> Mapping[str, Any]:
    """The body: JSON of the Events API, a form of a command, or a form that holds JSON.

    Raises:
        ValueError: It is none of them.
    """
    if content_type != "application/x-www-form-urlencoded":
        payload = json.loads(body)
    else:
        form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=200))
        payload = json.loads(form["payload"]) if "payload" in form else form
    if not isinstance(payload, dict):
        raise ValueError("not an object")
    return payload


def parse(payload: Mapping[str, Any], bot_user: Callable[[str], str]) -> Parsed:
    """What any of Slack's requests means.

    Raises:
        ValueError: It is none of Slack's.
    """
    if "command" in payload:
        return parse_command(payload)
    if payload.get("type") in ("event_callback", "app_rate_limited"):
        return parse_envelope(payload, bot_user(str(payload.get("team_id") or "")))
    if "type" in payload:
        return parse_interaction(payload)
    return Ignored("unknown")


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"ok": False, "error": reason}, status=status)
