"""A platform in memory: what a bot shows on it, and every way its calls may fail."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botkit.adapter import (
    AdapterRoute,
    Capabilities,
    Holds,
    Intake,
    Outgoing,
    Preview,
    Receipt,
    SavePreview,
)
from botkit.app import BotApplication
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Reply
from botkit.settings import Settings
from botkit.spans import NO_TRACER, Tracer
from botkit.types import Attachment, ConversationKey, Event, Json, Sender

PATIENCE = 5.0
"""Seconds: a Redis on a slow machine is not away."""

_numbers = itertools.count(1)


@dataclass
class StagePreview:
    """Remembers every text that it was told to show."""

    shown: list[str]

    async def update(self, text: str) -> None:
        self.shown.append(text)

    async def close(self) -> None:
        self.shown.append("closed")


@dataclass
class StageAdapter:
    """Messages of at most ``limit`` characters; ``failures`` are raised, one a delivery."""

    name: str = "stage"
    limit: int = 200
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(streams=True))
    sent: list[tuple[str, str]] = field(default_factory=list)
    replies: list[dict[str, Json]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    failures: list[Exception | None] = field(default_factory=list)
    lost_answers: list[Exception] = field(default_factory=list)
    deliveries: int = 0
    intake: Intake | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self, intake: Intake) -> Sequence[AdapterRoute]:
        return ()

    async def start(self, intake: Intake) -> None:
        self.intake = intake

    async def drain(self) -> None:
        return None

    async def aclose(self) -> None:
        return None

    async def working(self, event: Event) -> None:
        return None

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        return StagePreview(self.shown)

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> Sequence[Json]:
        text = reply.text or " "
        pieces = [text[at : at + self.limit] for at in range(0, len(text), self.limit)]
        channel = event.conversation.channel
        return [
            {"channel": channel, "text": piece, "buttons": [each.id for each in reply.buttons]}
            for piece in pieces
        ]

    async def pace(self, outgoing: Outgoing) -> None:
        return None

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        self.deliveries += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append((outgoing.payload["channel"], outgoing.payload["text"]))
        self.replies.append(outgoing.payload)
        self.arrived.set()
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return Receipt(f"m{outgoing.id}")

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        wanted = (outgoing.payload["channel"], outgoing.payload["text"])
        return Receipt("found") if wanted in self.sent else None

    async def fetch(self, event: Event, attachment: Attachment) -> bytes:
        return b"bytes of " + attachment.id.encode()

    async def profile(self, event: Event) -> Sender:
        return event.sender

    def said(self, channel: str = "c1") -> list[str]:
        return [text for where, text in self.sent if where == channel]


def event(text: str = "hello", channel: str = "c1", **fields: Any) -> Event:
    """A message, or what ``fields`` say."""
    given: dict[str, Any] = {
        "id": f"event:{next(_numbers)}",
        "kind": "message",
        "conversation": ConversationKey("stage", "s", channel),
        "sender": Sender("u1", "Ada", "en"),
        "text": text,
    }
    return Event(**{**given, **fields})


@dataclass
class Stage:
    """A running bot on that platform."""

    application: BotApplication
    adapter: StageAdapter
    completion: ScriptedCompletion

    async def hear(self, *events: Event) -> None:
        """The platform delivers events, and hears that they were taken."""
        assert self.adapter.intake is not None
        await self.adapter.intake.accept(events)

    async def say(self, text: str, channel: str = "c1", **fields: Any) -> None:
        await self.hear(event(text, channel, **fields))

    async def replies(self, count: int, channel: str = "c1", within: float = 20.0) -> list[str]:
        """The texts sent to the channel, once there are ``count``."""
        async with asyncio.timeout(within):
            while len(self.adapter.said(channel)) < count:
                self.adapter.arrived.clear()
                await self.adapter.arrived.wait()
        return self.adapter.said(channel)

    async def idle(self, within: float = 20.0) -> None:
        """Wait until nothing is queued, unsent or worked on."""
        async with asyncio.timeout(within):
            while True:
                stats = await self.application.store.stats()
                running = self.application.metrics.running.collect()[0].samples[0].value
                if not (stats.queued or stats.unsent or running):
                    return
                await asyncio.sleep(0.01)

    def counted(self, sample: str, **labels: str) -> float:
        """The value of a metric."""
        for line in self.application.metrics.text().decode().splitlines():
            name, _, rest = line.partition("{")
            if name == sample and all(f'{key}="{value}"' in rest for key, value in labels.items()):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


@contextlib.asynccontextmanager
async def on_stage(
    home: Path,
    bot: Bot | None = None,
    *,
    completion: ScriptedCompletion | None = None,
    adapter: StageAdapter | None = None,
    database: str | None = None,
    drain_seconds: float = 8.0,
    tracer: Tracer = NO_TRACER,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Run a bot on the platform; leaving the block drains it."""
    settings = {"limit_user": "off", "redis_timeout": PATIENCE, **settings}
    loaded = Settings.load(home=home, database_url=database, completion="echo", **settings)
    completion = completion or ScriptedCompletion(lambda request: _echo(request))
    adapter = adapter or StageAdapter()
    application = (bot or Bot()).application(loaded, completion, [adapter])
    application.tracer = tracer
    await completion.start()
    await application.open()
    await application.start()
    application.ready()
    try:
        yield Stage(application, adapter, completion)
    finally:
        await application.drain(drain_seconds)
        await application.aclose()


def _echo(request: Any) -> str:
    said = [each.content for each in request.messages if each.role == "user"]
    return f"{len(request.messages)} messages; you said: {said[-1]}"
