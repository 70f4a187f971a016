"""How often a platform lets a bot write, per chat and over all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from aiolimiter import AsyncLimiter

from botkit.errors import DeliveryDelayedError

CHATS = 10_000
"""Chats remembered; one that was quiet for long needs no pacing."""

LONGEST_WAIT = 3.0
"""Seconds that a delivery waits itself, holding its conversation; for longer it is put off."""


class Pacer:
    """Waits until a chat may be written to. A pause in one chat holds no other up.

    Args:
        limits: The limits of a new chat.
        overall: The limit that all chats share, or None.
    """

    def __init__(
        self,
        limits: Callable[[Hashable], Sequence[AsyncLimiter]],
        overall: AsyncLimiter | None = None,
    ) -> None:
        self._limits = limits
        self._overall = overall
        self._chats: OrderedDict[Hashable, Sequence[AsyncLimiter]] = OrderedDict()
        self._paused: dict[Hashable, float] = {}

    async def wait(self, chat: Hashable) -> None:
        """Return when a message may be sent to ``chat``.

        Raises:
            DeliveryDelayedError: Not within :data:`LONGEST_WAIT`.
        """
        pause = self.paused_for(chat)
        if pause > LONGEST_WAIT:
            raise DeliveryDelayedError("the chat is paused", pause)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await asyncio.sleep(pause)
                for limiter in self._of(chat):
                    await limiter.acquire()
                if self._overall is not None:
                    await self._overall.acquire()
        except TimeoutError:
            raise DeliveryDelayedError("the chat is busy", LONGEST_WAIT) from None

    def pause(self, chat: Hashable, seconds: float) -> None:
        """The platform said that nothing may be sent to ``chat`` for so long."""
        until = asyncio.get_running_loop().time() + seconds
        self._paused[chat] = max(until, self._paused.get(chat, until))

    def paused_for(self, chat: Hashable) -> float:
        """Seconds for which nothing may be sent to ``chat``."""
        seconds = self._paused.get(chat, 0.0) - asyncio.get_running_loop().time()
        if seconds <= 0:
            self._paused.pop(chat, None)
        return max(seconds, 0.0)

    def _of(self, chat: Hashable) -> Sequence[AsyncLimiter]:
        found = self._chats.pop(chat, None) or self._limits(chat)
        self._chats[chat] = found
        if len(self._chats) > CHATS:
            self._chats.popitem(last=False)
        return found
