"""Updates on their way to the bot: pushed to its webhook, or kept for getUpdates.

Telegram keeps the order within a chat: an update that the webhook does not take holds up the later
ones of its chat and is sent again after growing pauses (https://core.telegram.org/bots/webhooks).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from botkit.testing.telegram.state import ApiError, Json

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
TIMEOUT_SECONDS = 60.0
MOST_UPDATES = 100
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True)
class Delivery:
    """One attempt: the update's number, and the status of the answer; 0 when there was none."""

    update_id: int
    attempt: int
    status: int


@dataclass
class Webhook:
    """Where updates go."""

    url: str
    secret: str = ""


@dataclass
class Deliveries:
    """Updates in order.

    Fields:
        time_scale: Pauses between attempts are multiplied by it.
        copies: How often every update is pushed, at the same time.
        hold: So many updates are kept back and then pushed newest first, as may happen to a
            webhook with several connections; 0 pushes each at once.
        allowed: The kinds of updates that the bot wants; empty for all.
        sent: Every update that was on its way to the bot, once.
        log: Every attempt to reach the webhook.
        last_error: Why the webhook did not take the last update that it refused.
    """

    time_scale: float = 1.0
    copies: int = 1
    hold: int = 0
    allowed: frozenset[str] = frozenset()
    webhook: Webhook | None = None
    sent: list[Json] = field(default_factory=list)
    log: list[Delivery] = field(default_factory=list)
    last_error: str = ""
    _pending: list[tuple[int, Json]] = field(default_factory=list)
    _held: list[tuple[int, Json]] = field(default_factory=list)
    _queues: dict[int, asyncio.Queue[Json]] = field(
        default_factory=lambda: defaultdict(asyncio.Queue)
    )
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _polls: int = 0
    _session: ClientSession | None = None

    def send(self, chat: int, fields: Json) -> None:
        """Deliver an update, when the bot wants such."""
        if self.allowed and not self.allowed.intersection(fields):
            return
        update = {"update_id": next(self._numbers), **fields}
        self.sent.append(update)
        if self.webhook is None:
            self._pending.append((chat, update))
            self._arrived.set()
            return
        self._held.append((chat, update))
        if len(self._held) >= self.hold:
            held, self._held = self._held, []
            for each in reversed(held):
                self._queue(*each)

    def set_webhook(self, webhook: Webhook | None) -> None:
        """Push from now on, what waits for getUpdates first; or, with None, push no more."""
        self.webhook = webhook
        if webhook is None:
            return
        waiting, self._pending = self._pending, []
        for each in waiting:
            self._queue(*each)

    def drop(self) -> None:
        """Forget what was not delivered."""
        self._pending.clear()
        self._held.clear()
        self._queues.clear()
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    @property
    def waiting(self) -> int:
        """How many updates the bot has not taken."""
        return len(self._pending) + sum(queue.qsize() for queue in self._queues.values())

    async def get_updates(self, offset: int | None, limit: int, seconds: float) -> list[Json]:
        """Long polling: what is not confirmed by ``offset``, waiting ``seconds`` for it. A negative
        offset keeps so many of the last.

        Raises:
            ApiError: A webhook is set, or somebody else began to poll.
        """
        if self.webhook is not None:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook "
                "to delete the webhook first",
            )
        self._polls += 1
        poll = self._polls
        self._arrived.set()  # ends the poll that is under way
        if offset is not None and offset < 0:
            self._pending = self._pending[offset:]
        elif offset is not None:
            self._pending = [each for each in self._pending if each[1]["update_id"] >= offset]
        if not self._pending and seconds > 0:
            await self._arrival(poll, seconds)
        return [update for _, update in self._pending[: min(max(limit, 1), MOST_UPDATES)]]

    async def aclose(self) -> None:
        """Stop delivering."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _arrival(self, poll: int, seconds: float) -> None:
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), seconds)
        if poll != self._polls:
            raise ApiError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot "
                "instance is running",
            )

    def _queue(self, chat: int, update: Json) -> None:
        self._queues[chat].put_nowait(update)
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._push(chat, self._queues[chat]))

    async def _push(self, chat: int, queue: asyncio.Queue[Json]) -> None:
        while True:
            update = await queue.get()
            pause = FIRST_PAUSE
            for attempt in itertools.count(1):
                if self.webhook is None:
                    self._pending.append((chat, update))
                    self._pending.sort(key=lambda each: int(each[1]["update_id"]))
                    self._arrived.set()
                    break
                hook = self.webhook
                copies = (self._post(hook, update, attempt) for _ in range(self.copies))
                answers = await asyncio.gather(*copies)
                if all(200 <= status < 300 for status, _ in answers):
                    break
                asked = max(seconds for _, seconds in answers)
                await asyncio.sleep(asked or pause * self.time_scale)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _post(self, hook: Webhook, update: Json, attempt: int) -> tuple[int, float]:
        """The answer's status, and for how many seconds it asked in its Retry-After."""
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS))
        headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
        asked = 0.0
        try:
            async with self._session.post(hook.url, json=update, headers=headers) as response:
                status = response.status
                asked = _seconds(response.headers.get("Retry-After", ""))
        except (ClientError, TimeoutError, OSError) as error:
            status = 0
            self.last_error = type(error).__name__
        if status and not 200 <= status < 300:
            self.last_error = f"Wrong response from the webhook: {status}"
        self.log.append(Delivery(update["update_id"], attempt, status))
        return status, asked


def _seconds(header: str) -> float:
    return float(header) if header.replace(".", "", 1).isdigit() else 0.0
