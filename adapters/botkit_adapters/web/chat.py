"""``POST /chat``: one question, one answer, for pages of the classic tutorial."""

from __future__ import annotations

import asyncio
import uuid

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from botkit.adapter import Intake
from botkit_adapters.web.body import read_json
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.messages import Messages, Said
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.rates import Limit
from botkit_adapters.web.refusals import RefusalError
from botkit_adapters.web.scene import Scene
from botkit_adapters.web.session import Session
from botkit_adapters.web.sessions import Sessions


class Prompt(BaseModel):
    """What a page sends."""

    model_config = ConfigDict(strict=True, extra="ignore")

    prompt: str = Field(min_length=1)
    session: str | None = Field(None, max_length=4096)


class Chat:
    """Answers as the widget would, through the same turns.

    Args:
        options: How long to wait.
        intake, hub, sessions, messages: As everywhere.
        limit: Shared with messages.
    """

    def __init__(
        self,
        options: WebOptions,
        intake: Intake,
        hub: Hub,
        sessions: Sessions,
        messages: Messages,
        limit: Limit,
    ) -> None:
        self._options = options
        self._intake = intake
        self._hub = hub
        self._sessions = sessions
        self._messages = messages
        self._limit = limit

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The reply's text, and a token to go on with."""
        asked = await read_json(request, Prompt, self._options.characters)
        tokens = await self._sessions.tokens()
        if asked.session is None:
            session = await self._sessions.newcomer(request)
        else:
            session = tokens.read_session(asked.session)
        self._limit.take(session.id)
        said = Said(id=str(uuid.uuid4()), text=asked.prompt)
        try:
            async with asyncio.timeout(self._options.answer_seconds):
                text = await self._answer(session, said)
        except TimeoutError:
            message = "The answer takes too long. Please try again."
            raise RefusalError(504, "unavailable", message) from None
        return web.json_response({"response": text, "session": tokens.session(session)})

    async def _answer(self, session: Session, said: Said) -> str:
        with self._hub.watching(session.conversation) as (scene, changed):
            seq = await self._messages.say(session, said)
            while not await self._over(scene, said.id, seq):
                changed.clear()
                await changed.wait()
            page = await self._intake.feed.after(session.conversation, seq)
            replies = [entry.value for entry in page.entries]
            texts = [each.get("text", "") for each in replies if each.get("reply_to") == said.id]
            return "\n\n".join(text for text in texts if text)

    async def _over(self, scene: Scene, entry: str, seq: int) -> bool:
        """Whether the turn has ended, here or elsewhere."""
        if scene.head.seq > seq and scene.added_after(scene.head.epoch, seq) is None:
            # Added by another process, whose entries nobody else here may be reading.
            page = await self._intake.feed.after(scene.conversation, seq)
            if any(each.value.get("reply_to") == entry for each in page.entries):
                scene.over(entry)
        waits = entry in scene.queued or scene.reply_to == entry
        return not waits
