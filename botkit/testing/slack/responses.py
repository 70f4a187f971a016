"""Answers that need no token: to a response URL, or in the acknowledgement of a command.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import json
from typing import Any

from botkit.testing.slack.blocks import check_blocks
from botkit.testing.slack.state import ApiError, Json, Posted, ResponseUrl, State


def respond(state: State, url: ResponseUrl, body: Any) -> None:
    """Post, replace or delete what ``body`` says; for one person unless it says otherwise.

    Raises:
        ApiError: ``used_url``, ``invalid_payload``, ``no_text``, or of blocks.
    """
    if not isinstance(body, dict):
        raise ApiError("invalid_payload")
    if url.left == 0:
        raise ApiError("used_url")
    url.left -= 1
    if body.get("delete_original"):
        _delete(url)
        return
    content = _content(state, body)
    if body.get("replace_original") and url.posted is not None:
        url.posted.data.pop("blocks", None)
        url.posted.data.update(content)
        url.posted.versions.append(url.posted.text)
        return
    posted = state.post(url.channel, content, from_bot=True)
    posted.seen_by = "" if body.get("response_type") == "in_channel" else url.user


def acknowledged(state: State, payload: Json, text: str) -> None:
    """The words with which the app acknowledged a command; nothing when there are none."""
    if not text.strip() or "command" not in payload:
        return
    url = ResponseUrl(state.channel(payload["channel_id"]), payload["user_id"])
    respond(state, url, _parsed(text))


def _parsed(text: str) -> Any:
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return body if isinstance(body, dict) else {"text": text}


def _content(state: State, body: Json) -> Json:
    text, blocks = str(body.get("text") or ""), check_blocks(body.get("blocks"))
    if not (text or blocks or body.get("attachments")):
        raise ApiError("no_text")
    thread = {"thread_ts": str(body["thread_ts"])} if body.get("thread_ts") else {}
    shown = {"blocks": blocks} if blocks else {}
    return {"user": state.bot_user, "bot_id": state.bot_id, "text": text, **thread, **shown}


def _delete(url: ResponseUrl) -> None:
    posted: Posted | None = url.posted
    if posted in url.channel.posted:
        url.channel.posted.remove(posted)
