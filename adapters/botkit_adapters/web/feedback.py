"""``POST /web/feedback``: whether a reply was helpful."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from botkit.adapter import Intake
from botkit.types import Event, Json
from botkit_adapters.web.body import Id, read_json
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.rates import Limit
from botkit_adapters.web.refusals import not_found
from botkit_adapters.web.sessions import Sessions

COMMENT_CHARACTERS = 2000


class Rating(BaseModel):
    """What a page sends."""

    model_config = ConfigDict(strict=True, extra="forbid")

    message: Annotated[Id, Field(min_length=1, max_length=64)]
    value: Literal["positive", "negative"]
    comment: str = Field("", max_length=COMMENT_CHARACTERS)


class Ratings:
    """Takes them; of several about one message the last counts.

    Args:
        intake, hub, sessions: As everywhere.
        limit: Shared with messages.
    """

    def __init__(self, intake: Intake, hub: Hub, sessions: Sessions, limit: Limit) -> None:
        self._intake = intake
        self._hub = hub
        self._sessions = sessions
        self._limit = limit

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep a rating, for the page to show and for the bot."""
        session = await self._sessions.of(request)
        rating = await read_json(request, Rating, COMMENT_CHARACTERS)
        self._limit.take(session.id)
        where, feed = session.conversation, self._intake.feed
        about = await feed.entry(where, rating.message)
        if about is None or about.value.get("role") != "assistant":
            raise not_found("There is no such reply.")
        key = f"r_{rating.message}_{secrets.token_hex(6)}"
        shown: dict[str, Json] = {
            "id": f"r_{rating.message}",
            "role": "rating",
            "about": rating.message,
            "value": rating.value,
        }
        if rating.comment.strip():
            shown["comment"] = rating.comment
        added = await feed.append(where, key, shown, ends=False, answers=rating.message)
        if added is None:
            raise not_found("There is no such reply any more.")
        head, entry = added
        self._hub.added(where, head, entry)
        event = Event(
            id=f"{session.id}:{key}",
            kind="feedback",
            conversation=where,
            sender=session.person(),
            text=rating.comment.strip(),
            value=rating.value,
            message_id=rating.message,
            direct=True,
            sent_at=entry.at,
            address={"entry": ""},
        )
        await self._intake.accept([event])
        return web.json_response({"id": shown["id"], "seq": entry.seq}, status=202)
