"""Updates on their way to the bot: pushed to its webhook, or kept for getUpdates.

Telegram keeps the order within a chat: an update that the webhook does not take holds up the later
ones of its chat and is sent again after growing pauses (https://core.telegram.org/bots/webhooks).
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from botkit.testing.telegram.state import ApiError, Json

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
TIMEOUT_SECONDS = 60.0


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
        copies: How often every update is delivered, at the same time.
        log: Every attempt to reach the webhook.
    """

    time_scale: float = 1.0
    copies: int = 1
    webhook: Webhook | None = None
    log: list[Delivery] = field(default_factory=list)
    _pending: list[Json] = field(default_factory=list)
    _queues: dict[int, asyncio.Queue[Json]] = field(
        default_factory=lambda: defaultdict(asyncio.Queue)
    )
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _session: ClientSession | None = None

    def send(self, chat: int, fields: Json) -> None:
        """Deliver an update."""
        update = {"update_id": next(self._numbers), **fields}
        if self.webhook is None:
            self._pending.append(update)
            self._arrived.set()
            return
        self._queues[chat].put_nowait(update)
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._push(self._queues[chat]))

    async def get_updates(self, offset: int | None, limit: int, seconds: float) -> list[Json]:
        """Long polling: what is not confirmed by ``offset``, waiting ``seconds`` for it.

        Raises:
            ApiError: A webhook is set.
        """
        if self.webhook is not None:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook "
                "to delete the webhook first",
            )
        if offset is not None:
            self._pending = [each for each in self._pending if each["update_id"] >= offset]
        if not self._pending and seconds > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), seconds)
            except TimeoutError:
                return []
        return self._pending[:limit]

    async def aclose(self) -> None:
        """Stop delivering."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _push(self, queue: asyncio.Queue[Json]) -> None:
        while True:
            update = await queue.get()
            pause = FIRST_PAUSE
            for attempt in itertools.count(1):
                copies = (self._post(update, attempt) for _ in range(self.copies))
                statuses = await asyncio.gather(*copies)
                if all(200 <= status < 300 for status in statuses):
                    break
                await asyncio.sleep(pause * self.time_scale)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _post(self, update: Json, attempt: int) -> int:
        if self.webhook is None:
            return 200
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=TIMEOUT_SECONDS))
        headers = {}
        if self.webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.webhook.secret
        try:
            async with self._session.post(
                self.webhook.url, json=update, headers=headers
            ) as response:
                status = response.status
        except (ClientError, TimeoutError, OSError):
            status = 0
        self.log.append(Delivery(update["update_id"], attempt, status))
        return status
