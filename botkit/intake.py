"""What an adapter gets of the bot: events go through here to the store and to the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from botkit.adapter import CommandHelp, Records
from botkit.feed import Feed
from botkit.holding import Moment
from botkit.metrics import Metrics
from botkit.push import Pushing
from botkit.redaction.kept import redacted_entry, redacted_event
from botkit.store import Store
from botkit.types import Event
from botkit.worker import Worker


class BotIntake:
    """The intake of one adapter; see :class:`botkit.adapter.Intake`."""

    def __init__(
        self,
        platform: str,
        store: Store,
        worker: Worker,
        metrics: Metrics,
        commands: Sequence[CommandHelp],
        pusher: Pushing | None,
        *,
        redact: bool = False,
    ) -> None:
        self._platform = platform
        self._store = store
        self._worker = worker
        self._metrics = metrics
        self._commands = commands
        self._pusher = pusher
        self._redact = redact
        self._records = store.records(platform)
        self._feed = store.feed_of(redacted_entry) if redact else store.feed

    @property
    def records(self) -> Records:
        """The adapter's own durable values."""
        return self._records

    @property
    def feed(self) -> Feed:
        """What conversations show."""
        return self._feed

    @property
    def commands(self) -> Sequence[CommandHelp]:
        """The commands that the bot's handlers answer."""
        return self._commands

    async def accept(self, events: Sequence[Event]) -> None:
        """Take events; see :meth:`botkit.adapter.Intake.accept`."""
        if self._redact:
            events = [redacted_event(event) for event in events]
        if events:
            # A platform that hangs up must not leave a conversation leased and unattended.
            await asyncio.shield(asyncio.ensure_future(self._accept(events)))

    async def _accept(self, events: Sequence[Event]) -> None:
        worker = self._worker
        takes = self._pusher is None and worker.options.overlap == "queue"
        since = Moment()
        with worker.reserving(len(events) if takes else 0) as fits:
            accepted = await self._store.accept(
                events,
                owner=worker.options.owner if fits else None,
                lease_seconds=worker.options.lease_seconds,
            )
            worker.take(accepted.work, since)
        self._metrics.accepted.labels(self._platform).inc(accepted.new)
        self._metrics.duplicates.labels(self._platform).inc(accepted.duplicates)
        if accepted.new > len(accepted.work):
            await self._announce(events)

    async def _announce(self, events: Sequence[Event]) -> None:
        for conversation in dict.fromkeys(event.conversation for event in events):
            if self._pusher is not None:
                await self._pusher.push(conversation)
            else:
                self._worker.arrived(conversation)

    async def moved(self, space: str, channel: str, new_channel: str) -> None:
        """A channel goes on under another id."""
        await self._store.move(self._platform, space, channel, new_channel)

    def count(self, what: str, reason: str = "") -> None:
        """Count something that needs no turn."""
        self._metrics.counted.labels(self._platform, what, reason).inc()
