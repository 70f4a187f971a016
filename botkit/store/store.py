"""The store: every promise about messages is one of its transactions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from botkit.adapter import Outgoing, Records
from botkit.completion.messages import Message
from botkit.errors import StoreError
from botkit.feed import Feed
from botkit.store import encoding
from botkit.store.feeds import Kept, StoredFeed
from botkit.store.records import StoredRecords
from botkit.store.scripts import (
    accepting,
    archive,
    deliveries,
    leasing,
    moving,
    turns,
    upkeep,
    usage,
)
from botkit.store.statement import Driver, Script
from botkit.store.types import (
    Accepted,
    ConversationSummary,
    DeadLetter,
    DeliveryResult,
    Feedback,
    GivenFeedback,
    Lease,
    QueuedEvent,
    StoreStats,
    TurnOutput,
    Unsummarized,
    Work,
)
from botkit.types import ConversationKey, Event, Json

logger = logging.getLogger(__name__)

LEASE_SECONDS = 30.0


class Store:
    """Inbox, outbox, history, state, leases and feedback in one database.

    Made by :func:`botkit.store.open_store`. Every method is one transaction and raises
    :class:`~botkit.errors.StoreError` when nothing of it was kept; those that take a lease raise
    :class:`~botkit.errors.LeaseLostError` when it is not the newest.

    *Work*: under a lease the first unsent payload is next, else the first queued event; when
    there is neither, or it is not due yet, the lease is released and the answer is None. A later
    event never overtakes an earlier one.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._unscrubbed = False

    async def aclose(self) -> None:
        """Close the database; leases stay until they expire."""
        await self._driver.aclose()

    def records(self, namespace: str) -> Records:
        """Durable values of an adapter."""
        return StoredRecords(self._driver, namespace)

    @property
    def feed(self) -> Feed:
        """What conversations show whose platform is this server."""
        return StoredFeed(self._driver)

    def feed_of(self, kept: Kept) -> Feed:
        """The same, of whose values only what ``kept`` makes of them is kept."""
        return StoredFeed(self._driver, kept)

    # Turns

    async def accept(
        self,
        events: Sequence[Event],
        *,
        owner: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
        batch: bool = False,
    ) -> Accepted:
        """Put events into the inbox, each once; they are on disk when this returns.

        Args:
            events: In order. One of which any key was seen is a duplicate; an ambient one is
                dropped, unmarked, where its conversation does not exist.
            owner: Lease conversations in which nothing waited to this owner at once.
            lease_seconds: How long.
            batch: As for :meth:`claim`.
        """
        rows = [encoding.new_event(event) for event in events]
        new, duplicates, raw = await self._driver.run(
            lambda: accepting.accept(rows, owner, lease_seconds, batch)
        )
        return Accepted(new, duplicates, tuple(await self._readable(raw)))

    async def claim(
        self,
        owner: str,
        *,
        limit: int,
        lease_seconds: float = LEASE_SECONDS,
        platforms: Sequence[str],
        batch: bool = False,
        conversation: ConversationKey | None = None,
    ) -> list[Work]:
        """Lease conversations that have something due, or whose holder let the lease expire.

        Args:
            owner: Who works on them.
            platforms: Only of these: another process may serve the others.
            limit: At most so many; longest due first.
            lease_seconds: How long.
            batch: Messages that follow one another are one turn, as long as the lease lasts.
            conversation: Only this one.
        """
        if not platforms:
            return []
        raw = await self._driver.run(
            lambda: leasing.claim(owner, limit, lease_seconds, batch, platforms, conversation)
        )
        return await self._readable(raw)

    async def commit(
        self, lease: Lease, events: Sequence[QueuedEvent], output: TurnOutput
    ) -> Work | None:
        """End a turn: its events are done and all that it leaves is kept; then what is next.

        Calling it again after an error changes nothing that was kept the first time.
        """
        return await self._finish(lease, events, output, None)

    async def abandon_turn(
        self, lease: Lease, events: Sequence[QueuedEvent], *, reason: str, output: TurnOutput
    ) -> Work | None:
        """Give a turn up: its events become dead letters; ``output`` is kept all the same."""
        return await self._finish(lease, events, output, reason)

    async def _finish(
        self, lease: Lease, events: Sequence[QueuedEvent], output: TurnOutput, reason: str | None
    ) -> Work | None:
        ids = [event.id for event in events]
        last = events[-1].event
        rows = replace(encoding.raw_output(output), source=last.message_id)
        sender = events[0].event.sender.id
        work = await self._work(
            await self._driver.run(lambda: turns.finish(lease, ids, sender, rows, reason))
        )
        if output.erase is not None:
            await self._scrub()
        return work

    async def retry_turn(
        self,
        lease: Lease,
        events: Sequence[QueuedEvent],
        *,
        reason: str,
        retry_in: float,
        refund: bool = False,
    ) -> Work | None:
        """Put a turn off for ``retry_in`` seconds.

        With ``refund`` the attempt does not count, and the lease is given back in any case.
        """
        ids = [event.id for event in events]
        return await self._work(
            await self._driver.run(lambda: turns.retry(lease, ids, reason, retry_in, refund))
        )

    async def enqueue(
        self, lease: Lease, event: QueuedEvent, ordinal: int, payloads: Sequence[Json]
    ) -> tuple[Outgoing, ...]:
        """Put an interim reply of a running turn into the outbox, for the caller to send now.

        Once per event and ordinal: a turn that runs again gets back what was not sent the first
        time, marked uncertain where an attempt was under way.
        """
        rows = [encoding.dumps(payload) for payload in payloads]
        sender = event.event.sender.id
        raw = await self._driver.run(lambda: turns.enqueue(lease, event.id, ordinal, sender, rows))
        return tuple(encoding.outgoing(row) for row in raw)

    async def save_preview(self, lease: Lease, event: QueuedEvent, preview: Json) -> None:
        """Keep what a later attempt of the turn needs to go on in the same preview."""
        text = encoding.dumps(preview)
        await self._driver.run(lambda: turns.save_preview(lease, event.id, text))

    async def grows(self, lease: Lease, events: Sequence[QueuedEvent]) -> bool:
        """Whether the turn, taken again, would be of more messages than these."""
        if len(events) >= leasing.LARGEST_BATCH:
            return False
        last = events[-1].id
        return await self._driver.run(
            lambda: turns.next_is_message(lease.conversation, last), reads=True
        )

    # Deliveries

    async def settle(self, result: DeliveryResult, lease: Lease) -> Work | None:
        """Record what became of a payload; then what is next.

        That it was sent is recorded even when this raises LeaseLostError.
        """
        return await self._settle(result, lease, advances=True)

    async def record(self, lease: Lease, result: DeliveryResult) -> None:
        """As :meth:`settle`, for a turn that goes on."""
        await self._settle(result, lease, advances=False)

    async def _settle(self, result: DeliveryResult, lease: Lease, *, advances: bool) -> Work | None:
        held, raw = await self._driver.run(
            lambda: deliveries.settle(result, lease, advances=advances)
        )
        if not held:
            raise leasing.lost()
        return await self._work(raw)

    # Leases

    async def renew(self, lease: Lease, lease_seconds: float) -> None:
        """Let the lease end ``lease_seconds`` from now."""
        await self._driver.run(lambda: leasing.renew(lease, lease_seconds))

    async def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it was lost."""
        await self._driver.run(lambda: leasing.release(lease))

    async def next_due(
        self, platforms: Sequence[str], conversation: ConversationKey | None = None
    ) -> float | None:
        """Seconds until something is due or a lease expires; None when nothing waits.

        Args:
            platforms: Only of these.
            conversation: Only there.
        """
        if not platforms:
            return None
        seconds = await self._driver.run(
            lambda: upkeep.next_due(platforms, conversation), reads=True
        )
        return None if seconds is None else max(0.0, seconds)

    async def move(self, platform: str, space: str, channel: str, new_channel: str) -> None:
        """Every conversation of a channel goes on under another, merged where one is there."""
        await self._driver.run(lambda: moving.move(platform, space, channel, new_channel))

    # Looking and erasing

    async def history(
        self, conversation: ConversationKey, limit: int = encoding.HISTORY
    ) -> list[Message]:
        """The last messages, oldest first."""
        texts = await self._driver.run(lambda: archive.history(conversation, limit), reads=True)
        return list(encoding.messages(texts))

    async def conversations(
        self, limit: int = 100, before: float | None = None, platform: str | None = None
    ) -> list[ConversationSummary]:
        """Conversations, the latest first; those last active before ``before``, and of a
        platform."""
        before = None if before is None else float(before)
        rows = await self._driver.run(
            lambda: archive.conversations(limit, before, platform), reads=True
        )
        return [ConversationSummary(ConversationKey(*row[:4]), *row[4:]) for row in rows]

    async def export(
        self, conversation: ConversationKey, limit: int | None = None
    ) -> dict[str, Any] | None:
        """Everything kept about a conversation, as JSON values, or of messages, events and so on
        the last ``limit``; None when there is no such conversation."""
        return await self._driver.run(lambda: archive.export(conversation, limit), reads=True)

    async def unsummarized(self, conversation: ConversationKey) -> Unsummarized | None:
        """What a summary may be made of; None when there is no such conversation."""
        found = await self._driver.run(
            lambda: archive.unsummarized(conversation, encoding.HISTORY), reads=True
        )
        if found is None:
            return None
        (row_id, version, summary), rows = found
        pairs = tuple(
            (int(row_id), message) for row_id, text in rows for message in encoding.messages([text])
        )
        return Unsummarized(
            row_id, version, None if summary is None else encoding.loads(summary), pairs
        )

    async def summarize(self, read: Unsummarized, *, up_to: int, summary: Json) -> bool:
        """Keep a summary, made of what was ``read``, of all messages up to the id ``up_to``.

        False, and nothing is kept, when the conversation's memory is another by now: somebody else
        summed it up, or erased some or all of it.
        """
        text = encoding.dumps(summary)
        return await self._driver.run(
            lambda: archive.summarize(read.row_id, read.version, up_to, text)
        )

    async def erase(self, conversation: ConversationKey) -> bool:
        """Erase a conversation; a running turn of it cannot commit. False when there is none."""
        erased = await self._driver.run(lambda: archive.erase(conversation))
        await self._scrub()
        return erased

    async def erase_person(self, platform: str, sender_id: str) -> int:
        """Erase what a person said and was told; from how many conversations.

        A conversation in which nobody else spoke goes altogether; of a shared one the state stays.
        """
        count = await self._driver.run(lambda: archive.erase_person(platform, sender_id))
        await self._scrub()
        return count

    async def _scrub(self) -> None:
        """That the rows are gone is kept already; the rest is tried again at the next pruning."""
        try:
            await self._driver.scrub()
            self._unscrubbed = False
        except StoreError as error:
            self._unscrubbed = True
            logger.warning("what was erased could not be overwritten yet: %s", error)

    async def feedback(self, conversation: ConversationKey) -> list[Feedback]:
        """What people said about replies; of each person the last word on each."""
        rows = await self._driver.run(lambda: archive.feedback(conversation), reads=True)
        return [Feedback(*row) for row in rows]

    async def latest_feedback(
        self, limit: int = 100, value: str | None = None
    ) -> list[GivenFeedback]:
        """What people said about replies in all conversations, the latest first; of one value."""
        rows = await self._driver.run(lambda: archive.latest_feedback(limit, value), reads=True)
        return [
            GivenFeedback(ConversationKey(*row[:4]), Feedback(*row[4:8]), row[8]) for row in rows
        ]

    # Tokens

    async def add_usage(self, day: int, tokens: Mapping[str, int]) -> dict[str, int]:
        """Add to the tokens used on a day, by whose they are; what the counts are then.

        Args:
            day: Days since 1970.
            tokens: By keys that name nobody: they stay when a person is erased, for two days.
        """
        return await self._driver.run(lambda: usage.add(day, tokens))

    async def usage_today(self, day: int, keys: Sequence[str]) -> dict[str, int]:
        """The tokens used on a day; keys that used none are missing."""
        return await self._driver.run(lambda: usage.used(day, keys), reads=True)

    # Upkeep

    async def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """What was given up, the latest first."""
        rows = await self._driver.run(lambda: upkeep.dead_letters(limit), reads=True)
        return [
            DeadLetter(
                id=row[0],
                kind=row[1],
                conversation=ConversationKey(*row[2:6]),
                reason=row[6],
                at=row[7],
                content=encoding.loads(row[8]),
            )
            for row in rows
        ]

    async def retry_dead_letter(self, letter_id: int) -> bool:
        """Put a dead letter at the end of its queue, as new. False when there is none."""
        row = await self._driver.run(lambda: upkeep.dead_letter_content(letter_id), reads=True)
        if row is None:
            return False
        kind = encoding.loads(row[1])["kind"] if row[0] == "turn" else ""
        return await self._driver.run(lambda: upkeep.retry_dead_letter(letter_id, kind))

    async def stats(self) -> StoreStats:
        """How much waits."""
        row = await self._driver.run(upkeep.stats, reads=True)
        if row is None:
            return StoreStats()
        return StoreStats(row[0], row[1], row[2], max(0.0, row[3] or 0.0))

    async def prune(self, older_than_seconds: float) -> int:
        """Delete marks of seen events, done events and sent payloads older than that, and
        expired records; how many rows. In small transactions, so that turns go on meanwhile."""
        if self._unscrubbed:
            await self._scrub()
        scripts = [partial(upkeep.prune, table, older_than_seconds) for table in upkeep.PRUNED]
        return await self._in_batches(scripts)

    async def retain(self, seconds: float) -> int:
        """Delete everything older than that: messages, events, payloads, dead letters, feedback,
        summaries of which nothing is left, and conversations in which nothing happened since; how
        many rows. What is not answered or not sent yet stays."""
        scripts = [partial(upkeep.retain, statement, seconds) for statement in upkeep.RETAINED]
        total = await self._in_batches(scripts)
        if total:
            await self._scrub()
        return total

    async def _in_batches(self, scripts: Sequence[Callable[[], Script[int]]]) -> int:
        """Run each as long as it deletes whole batches; how many rows."""
        total = 0
        for script in scripts:
            count = upkeep.PRUNE_BATCH
            while count == upkeep.PRUNE_BATCH:
                count = await self._driver.run(script)
                total += count
        return total

    async def _readable(self, raws: Sequence[encoding.RawWork]) -> list[Work]:
        works = [await self._work(raw) for raw in raws]
        return [work for work in works if work is not None]

    async def _work(self, raw: encoding.RawWork | None) -> Work | None:
        """The work that was read. A row that nobody can read becomes a dead letter, and the next
        is looked at: it must not hold its conversation up for ever."""
        while raw is not None:
            try:
                return encoding.work(raw)
            except ValueError as error:  # whose text quotes the event
                kind = type(error).__name__
                logger.error("an event in the inbox cannot be read and is given up: %s", kind)
            raw = await self._give_up(raw)
        return None

    async def _give_up(self, raw: encoding.RawWork) -> encoding.RawWork | None:
        lease = Lease(raw.conversation, raw.token)
        ids = [row[0] for row in raw.events]
        nothing = encoding.raw_output(TurnOutput())
        return await self._driver.run(
            lambda: turns.finish(lease, ids, "", nothing, "cannot be read")
        )
