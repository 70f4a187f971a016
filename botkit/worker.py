"""Working on leased conversations: run a turn, drain its outbox, go on until nothing is due."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from botkit.adapter import Adapter
from botkit.bot_settings import Overlap
from botkit.deliverer import Deliverer
from botkit.errors import (
    CompletionError,
    CompletionUnavailableError,
    LeaseLostError,
    OverloadedError,
    StoreError,
)
from botkit.metrics import Metrics
from botkit.runner import Runner
from botkit.store import Lease, QueuedEvent, Store, TurnInput, TurnOutput, Work
from botkit.types import ConversationKey

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS = 1.0
"""How soon work that another process accepted is seen."""

GRACE_SECONDS = 2.0
"""Of the time to drain, for committing and sending what was just answered."""

OVERLOAD_PATIENCE = 900.0
"""Seconds for which a message waits while the model has no room; then it counts as failed."""


@dataclass(frozen=True)
class WorkerOptions:
    """How a worker works. Times in seconds.

    Fields:
        concurrency: Conversations at the same time.
        lease_seconds: How long a lease lasts unless renewed.
        overlap: What happens to messages that come while another is answered.
        merge_window: Silence after which merged messages are answered.
        turn_attempts: How often a turn is tried.
        turn_timeout: How long one may take.
        polls: Look for work by itself; without, only when told to.
    """

    concurrency: int = 64
    lease_seconds: float = 30.0
    overlap: Overlap = "queue"
    merge_window: float = 1.0
    turn_attempts: int = 5
    turn_timeout: float = 300.0
    polls: bool = True

    @property
    def batch(self) -> bool:
        """Whether messages that follow one another are one turn."""
        return self.overlap != "queue"


class TurnInterruptedError(Exception):
    """The turn is to be run again, together with what came meanwhile."""


@dataclass
class _Held:
    """A conversation worked on here."""

    lease: Lease
    renewed: float
    task: asyncio.Task[None] | None = None
    interruptible: asyncio.Task[TurnOutput] | None = None
    last_id: int = 0


class Worker:
    """Turns of one conversation one after another, different conversations together."""

    def __init__(
        self,
        store: Store,
        runner: Runner,
        deliverer: Deliverer,
        adapters: Callable[[str], Adapter],
        metrics: Metrics,
        options: WorkerOptions,
    ) -> None:
        self.owner = uuid.uuid4().hex
        self.options = options
        self._store = store
        self._runner = runner
        self._deliverer = deliverer
        self._adapters = adapters
        self._metrics = metrics
        self._held: dict[ConversationKey, _Held] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    # Taking work

    @property
    def has_room(self) -> bool:
        """Whether another conversation may be worked on."""
        return not self._stopping and len(self._held) < self.options.concurrency

    def start(self) -> None:
        """Begin to look for work and to renew leases."""
        self._loops.append(asyncio.create_task(self._renew_leases()))
        if self.options.polls:
            self._loops.append(asyncio.create_task(self._poll()))

    def take(self, works: Iterable[Work]) -> list[asyncio.Task[None]]:
        """Work on conversations leased to this worker."""
        return [self._begin(work) for work in works]

    def wake(self) -> None:
        """There may be something due."""
        self._wake.set()

    def arrived(self, conversation: ConversationKey) -> None:
        """An event was accepted; with ``interrupt`` it ends the turn that runs there."""
        held = self._held.get(conversation)
        if held is None:
            self.wake()
        elif self.options.overlap == "interrupt" and held.interruptible is not None:
            held.interruptible.cancel()

    async def run_due(self, conversation: ConversationKey | None) -> None:
        """Work on what is due, ``conversation`` first, and return when it is done.

        Raises:
            StoreError: The store cannot be asked.
        """
        for only in (conversation, None) if conversation else (None,):
            works = await self._claim(only)
            await asyncio.gather(*self.take(works))

    async def drain(self, seconds: float) -> None:
        """Take nothing new; let what runs end within ``seconds``, give the rest back."""
        self._stopping = True
        for loop in self._loops[1:]:
            loop.cancel()
        deadline = time.monotonic() + seconds
        await self._wait_idle(seconds - GRACE_SECONDS)
        for held in list(self._held.values()):
            if held.interruptible is not None:
                held.interruptible.cancel()
        await self._wait_idle(deadline - time.monotonic())
        tasks = [held.task for held in self._held.values() if held.task is not None]
        for task in [*tasks, *self._loops]:
            task.cancel()
        await asyncio.gather(*tasks, *self._loops, return_exceptions=True)

    async def _wait_idle(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), max(0.0, seconds))

    def _begin(self, work: Work) -> asyncio.Task[None]:
        held = _Held(work.lease, time.monotonic())
        self._held[work.lease.conversation] = held
        self._idle.clear()
        held.task = asyncio.create_task(self._work_on(held, work))
        self._metrics.running.set(len(self._held))
        return held.task

    async def _poll(self) -> None:
        while True:
            self._wake.clear()
            pause = POLL_SECONDS
            try:
                if self.has_room:
                    works = await self._claim(None)
                    self.take(works)
                    due = None if works else await self._store.next_due()
                    pause = 0.0 if works else min(pause, POLL_SECONDS if due is None else due)
            except StoreError as error:
                logger.warning("cannot look for work: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(pause, 0.005))

    async def _claim(self, conversation: ConversationKey | None) -> list[Work]:
        room = self.options.concurrency - len(self._held)
        if self._stopping or room <= 0:
            return []
        return await self._store.claim(
            self.owner,
            limit=room,
            lease_seconds=self.options.lease_seconds,
            batch=self.options.batch,
            conversation=conversation,
        )

    async def _renew_leases(self) -> None:
        interval = min(self.options.lease_seconds / 3, POLL_SECONDS)
        while True:
            await asyncio.sleep(interval)
            for held in list(self._held.values()):
                await self._renew(held)

    async def _renew(self, held: _Held) -> None:
        try:
            if time.monotonic() - held.renewed > self.options.lease_seconds / 3:
                await self._store.renew(held.lease, self.options.lease_seconds)
                held.renewed = time.monotonic()
            if self.options.overlap == "interrupt" and held.interruptible is not None:
                running = held.interruptible
                if await self._store.has_newer(held.lease, held.last_id):
                    running.cancel()
        except LeaseLostError:
            if held.task is not None:
                held.task.cancel()
        except StoreError as error:
            logger.warning("cannot renew a lease: %s", error)

    # Working

    async def _work_on(self, held: _Held, first: Work) -> None:
        work: Work | None = first
        conversation = held.lease.conversation
        try:
            while work is not None:
                held.lease = work.lease
                work = await self._step(held, work)
        except LeaseLostError:
            logger.info("a conversation was taken over by another worker")
        except StoreError as error:
            logger.error("work on a conversation stopped, its lease will expire: %s", error)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                await asyncio.shield(self._store.release(held.lease))
            raise
        finally:
            if self._held.get(conversation) is held:
                del self._held[conversation]
            self._metrics.running.set(len(self._held))
            if not self._held:
                self._idle.set()
            self.wake()

    async def _step(self, held: _Held, work: Work) -> Work | None:
        adapter = self._adapters(work.lease.conversation.platform)
        if work.outgoing is not None:
            result = await self._deliverer.deliver(adapter, work.outgoing)
            return await self._keep(lambda: self._store.settle(result, work.lease))
        assert work.turn is not None
        return await self._turn(held, work.lease, work.turn, adapter)

    async def _turn(
        self, held: _Held, lease: Lease, given: TurnInput, adapter: Adapter
    ) -> Work | None:
        events = given.events
        if self._stopping or (
            self.options.overlap == "merge" and await self._talking(lease, given)
        ):
            return await self._again(lease, events)
        if events[0].attempts > self.options.turn_attempts:
            return await self._give_up(lease, given, "the process died again and again")
        began = time.monotonic()
        showing = asyncio.create_task(adapter.working(events[-1].event))
        running = asyncio.create_task(self._runner.run(lease, given))
        held.last_id = events[-1].id
        held.interruptible = running if events[0].event.kind == "message" else None
        try:
            async with asyncio.timeout(self.options.turn_timeout):
                output = await _result(running)
        except TurnInterruptedError:
            return await self._again(lease, events)
        except (StoreError, asyncio.CancelledError):
            raise
        except Exception as error:
            held.interruptible = None
            return await self._failed(lease, given, error)
        finally:
            held.interruptible = None
            await _stop(running)
            await _stop(showing)
        self._metrics.turns.labels(adapter.name, "answered").inc()
        self._metrics.turn_seconds.labels(adapter.name).observe(time.monotonic() - began)
        return await self._keep(lambda: self._store.commit(lease, events, output))

    async def _talking(self, lease: Lease, given: TurnInput) -> bool:
        """Wait for silence; whether another message came meanwhile."""
        if given.events[0].event.kind != "message" or self.options.merge_window <= 0:
            return False
        age = time.time() - given.events[-1].received_at
        await asyncio.sleep(min(max(self.options.merge_window - age, 0), self.options.merge_window))
        return await self._store.has_newer(lease, given.events[-1].id)

    async def _again(self, lease: Lease, events: tuple[QueuedEvent, ...]) -> Work | None:
        """Give the turn back as it was; it is taken again with what came meanwhile."""
        await self._keep(
            lambda: self._store.retry_turn(
                lease, events, reason="interrupted", retry_in=0.0, refund=True
            )
        )
        if self._stopping:
            return None
        works = await self._store.claim(
            self.owner,
            limit=1,
            lease_seconds=self.options.lease_seconds,
            batch=self.options.batch,
            conversation=lease.conversation,
        )
        return works[0] if works else None

    async def _failed(self, lease: Lease, given: TurnInput, error: Exception) -> Work | None:
        head = given.events[0]
        platform = head.event.conversation.platform
        reason = _reason(error)
        waits = _worth_waiting(error) and time.time() - head.received_at < OVERLOAD_PATIENCE
        if not waits and (_hopeless(error) or head.attempts >= self.options.turn_attempts):
            return await self._give_up(lease, given, reason)
        if isinstance(error, CompletionError):
            logger.warning("%s: a turn will be tried again: %s", platform, reason)
        else:
            logger.warning(
                "%s: a handler failed, attempt %d", platform, head.attempts, exc_info=error
            )
        self._metrics.turns.labels(platform, "retried").inc()
        pause = getattr(error, "retry_after", None) or min(0.5 * 2 ** (head.attempts - 1), 60.0)
        return await self._keep(
            lambda: self._store.retry_turn(
                lease, given.events, reason=reason, retry_in=pause, refund=waits
            )
        )

    async def _give_up(self, lease: Lease, given: TurnInput, reason: str) -> Work | None:
        platform = lease.conversation.platform
        logger.error("%s: a turn became a dead letter: %s", platform, reason)
        self._metrics.turns.labels(platform, "dead").inc()
        output = self._runner.apology(given)
        return await self._keep(
            lambda: self._store.abandon_turn(lease, given.events, reason=reason, output=output)
        )

    async def _keep(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write to the store, again and again while it is away: what happened must be kept."""
        pause = 0.05
        deadline = time.monotonic() + 2 * self.options.lease_seconds
        while True:
            try:
                return await write()
            except LeaseLostError:
                raise
            except StoreError as error:
                if time.monotonic() > deadline:
                    raise
                logger.warning("the store is away, trying again: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)


async def _result(running: asyncio.Task[TurnOutput]) -> TurnOutput:
    """The output of a turn; TurnInterruptedError when the turn was cancelled, not the waiter."""
    await asyncio.wait({running})
    if running.cancelled():
        raise TurnInterruptedError
    return running.result()


async def _stop(task: asyncio.Task[object] | asyncio.Task[TurnOutput] | asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _worth_waiting(error: Exception) -> bool:
    return isinstance(error, OverloadedError | CompletionUnavailableError)


def _hopeless(error: Exception) -> bool:
    """The model says that the request itself is wrong."""
    return isinstance(error, CompletionError) and error.status < 500 and error.status != 429


def _reason(error: Exception) -> str:
    """Why a turn failed, without anything that a person said."""
    if isinstance(error, CompletionError):
        return f"{type(error).__name__}: {error.code or error.status}"
    return type(error).__name__
