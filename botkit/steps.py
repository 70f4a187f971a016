"""What is done under a lease: one payload is delivered, or one turn is run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from botkit.adapter import Adapter, Outgoing
from botkit.deliverer import Deliverer
from botkit.errors import (
    CompletionError,
    CompletionUnavailableError,
    OverloadedError,
    StoreError,
)
from botkit.holding import Holding, Moment
from botkit.persistence import keep, to_its_end
from botkit.runner import Runner, RunningTurn
from botkit.store import (
    Delayed,
    DeliveryResult,
    QueuedEvent,
    Sent,
    Store,
    TurnInput,
    TurnOutput,
    Work,
)
from botkit.watch import TurnWatch
from botkit.work_options import WorkOptions

logger = logging.getLogger(__name__)

OVERLOAD_PATIENCE = 900.0
"""Seconds for which a message waits while the model has no room; then it counts as failed."""

STOP_SECONDS = 5.0
"""For a handler to end once it is cancelled."""


class TurnInterruptedError(Exception):
    """The turn is to be run again, together with what came meanwhile."""


class Steps:
    """One step after another, until nothing is due in the conversation.

    Fields:
        stopping: Turns are given back instead of begun.
        crowded: Whether conversations may wait for room.
    """

    def __init__(
        self,
        store: Store,
        runner: Runner,
        deliverer: Deliverer,
        adapters: Callable[[str], Adapter],
        watch: TurnWatch,
        options: WorkOptions,
    ) -> None:
        self.stopping = False
        self.crowded: Callable[[], bool] = lambda: False
        self._store = store
        self._runner = runner
        self._deliverer = deliverer
        self._adapters = adapters
        self._watch = watch
        self._options = options

    async def step(self, holding: Holding, work: Work) -> Work | None:
        """Do ``work``; what is next under the lease, None when it was given back.

        Raises:
            LeaseLostError: Somebody else works on the conversation now.
            StoreError: The store is away for long.
        """
        adapter = self._adapters(work.lease.conversation.platform)
        if work.outgoing is not None:
            return await self._deliver(holding, adapter, work.outgoing)
        assert work.turn is not None
        return await self._turn(holding, adapter, work.turn)

    async def renew(self, holding: Holding) -> None:
        """Let the lease last anew.

        Raises:
            LeaseLostError, StoreError: It could not be had.
        """
        since = Moment()
        await self._store.renew(holding.lease, self._options.lease_seconds)
        holding.renewed = since

    async def grows(self, holding: Holding) -> bool:
        """Whether the turn that runs would be of more messages when it is taken again."""
        return await self._store.grows(holding.lease, holding.events)

    # Delivering

    async def _deliver(self, holding: Holding, adapter: Adapter, outgoing: Outgoing) -> Work | None:
        try:
            result = await self._deliverer.prepare(adapter, outgoing)
            if result is None and not holding.holds():
                await self.renew(holding)
        except asyncio.CancelledError:
            unsent = self._deliverer.put_off(outgoing, "the bot stopped")
            await to_its_end(self._store.record(holding.lease, unsent))
            raise
        if result is None:
            result = await self._deliverer.send(adapter, outgoing, self._watch.delivering(holding))
            self._watch.delivered(holding, result)
        return await self._settled(holding, result)

    async def _settled(self, holding: Holding, result: DeliveryResult) -> Work | None:
        holding.left |= isinstance(result, Delayed)
        # That a message was sent must not be forgotten, however long the store is away.
        seconds = None if isinstance(result, Sent) else 2 * self._options.lease_seconds
        return await keep(lambda: self._store.settle(result, holding.lease), seconds)

    # Running turns

    async def _turn(self, holding: Holding, adapter: Adapter, given: TurnInput) -> Work | None:
        turn = self._runner.begin(holding, given)
        events = given.events
        self._watch.taken(holding)
        if events[0].attempts > self._options.turn_attempts:
            return await self._give_up(holding, turn, "the process died again and again")
        if self.stopping:
            return await self._give_back(holding, events, "the bot stopped")
        if holding.turns and self.crowded():
            return await self._give_back(holding, events, "others wait")
        if self._options.overlap == "merge" and await self._grew(holding, given):
            return await self._again(holding, events)
        holding.turns += 1
        self._watch.begins(holding, events)
        began = time.monotonic()
        with holding.span as span:
            try:
                output = await self._run(holding, adapter, turn)
            except TurnInterruptedError:
                self._watch.failed(holding, "interrupted")
                return await self._again(holding, events)
            except (StoreError, asyncio.CancelledError):
                raise
            except Exception as error:
                return await self._failed(holding, turn, error)
            self._watch.answered(holding, time.monotonic() - began)
            with span.child("commit"):
                return await self._keep(lambda: self._store.commit(holding.lease, events, output))

    async def _run(self, holding: Holding, adapter: Adapter, turn: RunningTurn) -> TurnOutput:
        """The output of the turn; it does not run any more when this returns or raises."""
        events = turn.given.events
        showing = asyncio.create_task(adapter.working(events[-1].event))
        running = asyncio.create_task(turn.run(holding.span))
        holding.events = events
        holding.running = running
        holding.interruptible = events[0].event.kind == "message"
        try:
            async with asyncio.timeout(self._options.turn_timeout):
                return await _result(running)
        finally:
            holding.running = None
            await _stop(running, showing)

    async def _grew(self, holding: Holding, given: TurnInput) -> bool:
        """Wait for silence; whether another message came meanwhile."""
        window = self._options.merge_window
        if given.events[0].event.kind != "message" or window <= 0:
            return False
        age = time.time() - given.events[-1].received_at
        await asyncio.sleep(min(max(window - age, 0), window))
        return await self._store.grows(holding.lease, given.events)

    async def _again(self, holding: Holding, events: Sequence[QueuedEvent]) -> Work | None:
        """Take the turn anew, with what came meanwhile."""
        await self._give_back(holding, events, "interrupted")
        if self.stopping:
            return None
        since = Moment()
        conversation = holding.lease.conversation
        works = await self._store.claim(
            self._options.owner,
            limit=1,
            lease_seconds=self._options.lease_seconds,
            platforms=(conversation.platform,),
            batch=self._options.batch,
            conversation=conversation,
        )
        holding.renewed = since
        return works[0] if works else None

    async def _give_back(
        self, holding: Holding, events: Sequence[QueuedEvent], reason: str
    ) -> Work | None:
        """As if the turn had not been taken; it is due at once, behind what waits already."""
        holding.left = True
        return await self._keep(
            lambda: self._store.retry_turn(
                holding.lease, events, reason=reason, retry_in=0.0, refund=True
            )
        )

    async def _failed(self, holding: Holding, turn: RunningTurn, error: Exception) -> Work | None:
        head = turn.given.events[0]
        platform = head.event.conversation.platform
        reason = _reason(error)
        waits = _worth_waiting(error) and time.time() - head.received_at < OVERLOAD_PATIENCE
        if not waits and (_hopeless(error) or head.attempts >= self._options.turn_attempts):
            return await self._give_up(holding, turn, reason, error)
        if isinstance(error, CompletionError):
            logger.warning("%s: a turn will be tried again: %s", platform, reason)
        else:
            logger.warning(
                "%s: a handler failed, attempt %d", platform, head.attempts, exc_info=error
            )
        self._watch.failed(holding, "retried", error)
        holding.left = True
        pause = getattr(error, "retry_after", None) or min(0.5 * 2 ** (head.attempts - 1), 60.0)
        return await self._keep(
            lambda: self._store.retry_turn(
                holding.lease, turn.given.events, reason=reason, retry_in=pause, refund=waits
            )
        )

    async def _give_up(
        self,
        holding: Holding,
        turn: RunningTurn,
        reason: str,
        error: Exception | None = None,
    ) -> Work | None:
        platform = holding.lease.conversation.platform
        logger.error("%s: a turn became a dead letter: %s", platform, reason)
        self._watch.failed(holding, "dead", error)
        output = turn.apology()
        return await self._keep(
            lambda: self._store.abandon_turn(
                holding.lease, turn.given.events, reason=reason, output=output
            )
        )

    async def _keep(self, write: Callable[[], Awaitable[Work | None]]) -> Work | None:
        return await keep(write, 2 * self._options.lease_seconds)


async def _result(running: asyncio.Task[TurnOutput]) -> TurnOutput:
    """The output of a turn; TurnInterruptedError when the turn was cancelled, not the waiter."""
    await asyncio.wait({running})
    if running.cancelled():
        raise TurnInterruptedError
    return running.result()


async def _stop(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_SECONDS)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # seen


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
