"""Taking conversations that have something due, holding their leases, and giving them back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from botkit.errors import LeaseLostError, StoreError
from botkit.holding import Holding, Moment
from botkit.metrics import Metrics
from botkit.persistence import to_its_end
from botkit.steps import Steps
from botkit.store import Store, Work
from botkit.types import ConversationKey
from botkit.work_options import WorkOptions

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How soon work that another process accepted is seen."""

SHORTEST_PAUSE = 0.005

GRACE_SECONDS = 2.0
"""Of the time to drain, for committing and sending what was just answered."""

LAST_SECONDS = 0.5
"""For giving leases back, when the time to drain is over."""


class Worker:
    """Turns of one conversation one after another, different conversations together."""

    def __init__(
        self,
        store: Store,
        steps: Steps,
        metrics: Metrics,
        options: WorkOptions,
    ) -> None:
        self.options = options
        self._store = store
        self._steps = steps
        self._metrics = metrics
        self._held: dict[ConversationKey, Holding] = {}
        self._reserved = 0
        steps.crowded = lambda: self.room == 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []
        self._checks: set[asyncio.Task[None]] = set()

    # Taking work

    @property
    def room(self) -> int:
        """How many more conversations may be worked on."""
        taken = len(self._held) + self._reserved
        return 0 if self._stopping else max(0, self.options.concurrency - taken)

    @contextlib.contextmanager
    def reserving(self, count: int) -> Iterator[bool]:
        """Whether there is room for ``count`` more; it is theirs while the block runs."""
        count = count if count <= self.room else 0
        self._reserved += count
        try:
            yield count > 0
        finally:
            self._reserved -= count

    def start(self) -> None:
        """Begin to look for work and to renew leases."""
        self._loops.append(asyncio.create_task(self._renew_leases()))
        if self.options.polls:
            self._loops.append(asyncio.create_task(self._poll()))

    def take(self, works: Iterable[Work], since: Moment) -> list[asyncio.Task[None]]:
        """Work on conversations that were leased to this worker after ``since``."""
        return [self._begin(work, since) for work in works]

    def wake(self) -> None:
        """There may be something due."""
        self._wake.set()

    def arrived(self, conversation: ConversationKey) -> None:
        """An event was accepted; with ``interrupt`` a message ends the turn that runs there."""
        holding = self._held.get(conversation)
        if holding is None:
            self.wake()
        elif self.options.overlap == "interrupt":
            self._in_background(self._interrupt(holding))

    async def run_due(self, conversation: ConversationKey | None) -> None:
        """Work on what is due, ``conversation`` first, and return when it is done.

        Raises:
            StoreError: The store cannot be asked.
        """
        for only in (conversation, None) if conversation else (None,):
            since = Moment()
            if tasks := self.take(await self._claim(only), since):
                await asyncio.wait(tasks)

    async def drain(self, seconds: float) -> None:
        """Take nothing new; let what runs end within ``seconds``, give the rest back."""
        self._stopping = True
        self._steps.stopping = True
        deadline = time.monotonic() + seconds
        looking = self._loops[1:]
        for loop in looking:
            loop.cancel()
        if looking:  # what one leases just now has to be held, to be given back
            await asyncio.wait(looking, timeout=max(0.0, seconds - GRACE_SECONDS))
        await _wait(self._idle, deadline - GRACE_SECONDS - time.monotonic())
        for holding in list(self._held.values()):
            if holding.running is not None:
                holding.running.cancel()
        await _wait(self._idle, deadline - time.monotonic())
        tasks = [each.task for each in self._held.values() if each.task is not None]
        tasks += [*self._loops, *self._checks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_SECONDS)

    def _begin(self, work: Work, since: Moment) -> asyncio.Task[None]:
        conversation = work.lease.conversation
        holding = Holding(work.lease, self.options.lease_seconds, since)
        before = self._held.get(conversation)
        if before is not None and before.task is not None:
            before.task.cancel()  # its lease is not the newest any more
        self._held[conversation] = holding
        self._idle.clear()
        self._metrics.running.set(len(self._held))
        holding.task = asyncio.create_task(self._work_on(holding, work))
        return holding.task

    async def _poll(self) -> None:
        while True:
            self._wake.clear()
            pause = POLL_SECONDS
            try:
                pause = await to_its_end(self._look())
            except StoreError as error:
                logger.warning("cannot look for work: %s", error)
            except Exception:
                logger.exception("looking for work failed")
            await _wait(self._wake, max(pause, SHORTEST_PAUSE))

    async def _look(self) -> float:
        """Take what is due; after how many seconds to look again."""
        if self.room == 0:
            return POLL_SECONDS
        # After an outage the store thinks that what is held here is free.
        await self._renew_overdue()
        since = Moment()
        if works := await self._claim(None):
            self.take(works, since)
            return 0.0
        due = await self._store.next_due(self.options.platforms)
        return POLL_SECONDS if due is None else min(POLL_SECONDS, due)

    async def _claim(self, conversation: ConversationKey | None) -> list[Work]:
        room = self.room
        with self.reserving(room) as fits:
            if not fits:
                return []
            return await self._store.claim(
                self.options.owner,
                limit=room,
                lease_seconds=self.options.lease_seconds,
                platforms=self.options.platforms,
                batch=self.options.batch,
                conversation=conversation,
            )

    # Holding

    async def _renew_leases(self) -> None:
        interval = min(self.options.lease_seconds / 3, POLL_SECONDS)
        while True:
            await asyncio.sleep(interval)
            try:
                await self._renew_overdue()
                if self.options.overlap == "interrupt":
                    await asyncio.gather(*(self._interrupt(each) for each in self._holdings))
            except StoreError as error:
                logger.warning("cannot renew a lease: %s", error)
            except Exception:
                logger.exception("renewing leases failed")

    @property
    def _holdings(self) -> list[Holding]:
        return list(self._held.values())

    async def _renew_overdue(self) -> None:
        await asyncio.gather(*(self._renew(each) for each in self._holdings if each.overdue))

    async def _renew(self, holding: Holding) -> None:
        lease = holding.lease
        try:
            await self._steps.renew(holding)
        except LeaseLostError:
            # A turn that is taken again has another lease by now.
            if holding.lease is lease and holding.task is not None:
                holding.task.cancel()

    async def _interrupt(self, holding: Holding) -> None:
        """End the turn that runs where another message would join it."""
        running = holding.running
        if holding.interruptible and running is not None and await self._steps.grows(holding):
            running.cancel()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._quietly(work))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StoreError as error:
            logger.warning("cannot look for newer messages: %s", error)

    # Working

    async def _work_on(self, holding: Holding, first: Work) -> None:
        work: Work | None = first
        conversation = holding.lease.conversation
        try:
            while work is not None:
                holding.lease = work.lease
                work = await self._steps.step(holding, work)
        except LeaseLostError:
            logger.info("a conversation was taken over by another worker")
        except StoreError as error:
            logger.error("work on a conversation stopped, its lease will expire: %s", error)
        except asyncio.CancelledError:
            await self._release(holding)
            raise
        except Exception:
            logger.exception("work on a conversation failed, its lease will expire")
        finally:
            # Looking costs as much as a turn: only where there may be something to see.
            if holding.left or self.room == 0:
                self.wake()
            if self._held.get(conversation) is holding:
                del self._held[conversation]
            self._metrics.running.set(len(self._held))
            if not self._held:
                self._idle.set()

    async def _release(self, holding: Holding) -> None:
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await asyncio.shield(self._store.release(holding.lease))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Return when it happens, after ``seconds`` in any case.

    Not with ``wait_for``, which before Python 3.12 loses a cancellation that comes with the event.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
