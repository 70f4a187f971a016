"""What the page asks for: ``/console/api/...``."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from botkit.console import queries, shown
from botkit.console.answers import answer, refusal
from botkit.console.detail import detail
from botkit.console.directory import Directory
from botkit.console.gate import Gate
from botkit.console.overview import overview
from botkit.console.recorder import Recorder
from botkit.console.recording import Recording
from botkit.errors import StoreError
from botkit.store import Store
from botkit.types import ConversationKey, Json

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds for the store to answer."""

Look = Callable[[web.Request], Awaitable[Json]]
"""Answers a request that was let in.

Raises:
    QueryError: 400.
    NotThereError: 404.
    StoreError, TimeoutError: 503.
"""


class NotThereError(LookupError):
    """There is no such thing, or not any more; the message says so."""


@dataclass(frozen=True)
class Api:
    """What is seen of the bot.

    Fields:
        gate: Who may look.
        recorder: The turns that are kept.
        store: The open store.
        directory: Whose turns they are.
        platforms: Of which there are conversations.
        model: Who answers.
        ready: Whether it can.
        wake: Told when something became due.
    """

    gate: Gate
    recorder: Recorder
    store: Callable[[], Store]
    directory: Directory
    platforms: Sequence[str]
    model: str
    ready: Callable[[], bool]
    wake: Callable[[], Awaitable[None]]

    def guarded(self, look: Look) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that asks for the key first, and answers errors with a sentence."""

        async def handle(request: web.Request) -> web.StreamResponse:
            refused = self.gate.refuses(request)
            if refused is not None:
                return refused
            try:
                async with asyncio.timeout(PATIENCE):
                    return answer(await look(request))
            except queries.QueryError as error:
                return refusal(400, str(error))
            except NotThereError as error:
                return refusal(404, str(error))
            except (StoreError, TimeoutError) as error:
                logger.warning("the console cannot read the store: %s", type(error).__name__)
                return refusal(503, "The database does not answer now.", retry_after=5)

        return handle

    async def overview(self, request: web.Request) -> Json:
        """Numbers."""
        stats = await self.store().stats()
        return overview(self.recorder, stats, model=self.model, ready=self.ready())

    async def conversations(self, request: web.Request) -> Json:
        """Conversations, the latest first."""
        limit = queries.limit(request.query, 50)
        before, platform = queries.before(request.query), queries.platform(request.query)
        # One more than asked for tells whether there is another page.
        found = await self.store().conversations(limit + 1, before, platform)
        page = found[:limit]
        by_name = self._by_name()
        return {
            "conversations": [
                shown.conversation(each, by_name.get(self.directory.name(each.conversation), ()))
                for each in page
            ],
            "next": page[-1].updated_at if len(found) > limit else None,
            "platforms": list(self.platforms),
        }

    async def conversation(self, request: web.Request) -> Json:
        """One conversation: the last of everything that is kept about it."""
        key = queries.conversation(request.query)
        limit = queries.limit(request.query, 100, 5000)
        exported = await self.store().export(key, limit + 1)
        if exported is None:
            raise NotThereError(f"There is no conversation {key}.")
        key = ConversationKey.parse(exported["conversation"])  # its channel may have moved
        messages = exported["messages"]
        exported["messages"] = messages[-limit:]
        name = self.directory.name(key)
        told = detail(key, exported, self._by_name().get(name, ()), name)
        return {**told, "earlier": len(messages) > limit}

    async def turns(self, request: web.Request) -> Json:
        """Recorded turns, the latest first."""
        limit = queries.limit(request.query, 50)
        kept = self.recorder.recordings()[:limit]
        keys = await self.directory.keys(each.conversation for each in kept)
        return {"turns": [shown.turn(each, keys) for each in kept]}

    async def turn(self, request: web.Request) -> Json:
        """One turn, with its spans."""
        recording = self.recorder.find(request.match_info["id"])
        if recording is None:
            raise NotThereError(
                "This turn is not kept: it was another process's, or the room was needed for "
                "later ones."
            )
        keys = await self.directory.keys([recording.conversation])
        return shown.timeline(recording, keys)

    async def feedback(self, request: web.Request) -> Json:
        """What people said about replies, the latest first."""
        limit, value = queries.limit(request.query, 100), queries.value(request.query)
        found = await self.store().latest_feedback(limit, value)
        return {"feedback": [shown.feedback(each) for each in found]}

    async def dead_letters(self, request: web.Request) -> Json:
        """What was given up, the latest first."""
        found = await self.store().dead_letters(queries.limit(request.query, 100))
        return {"dead_letters": [shown.dead_letter(each) for each in found]}

    async def retry(self, request: web.Request) -> Json:
        """Put a dead letter back into its queue."""
        number = queries.letter(request.match_info["number"])
        await _an_object(request)
        if not await self.store().retry_dead_letter(number):
            raise NotThereError(f"There is no dead letter {number} any more.")
        await self.wake()
        logger.info("dead letter %d is tried again, as the console was told", number)
        return {"retried": number}

    def _by_name(self) -> dict[str, Sequence[Recording]]:
        found: dict[str, list[Recording]] = {}
        for each in self.recorder.recordings():
            found.setdefault(each.conversation, []).append(each)
        return dict(found)


async def _an_object(request: web.Request) -> None:
    """See that the body is a JSON object, said to be one: no form of another site's page is."""
    if request.content_type != "application/json":
        raise queries.QueryError("Send a JSON object, as application/json.")
    try:
        body = json.loads(await request.read() or b"null")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise queries.QueryError("Send a JSON object, as {}.")
