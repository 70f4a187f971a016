"""How often Telegram lets a bot write: one message a second per chat, twenty a minute per group,
thirty a second over all (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from aiolimiter import AsyncLimiter

CHATS = 10_000
"""Chats remembered; one that was quiet for long needs no pacing."""


class Pacer:
    """Waits until a chat may be written to. A pause in one chat holds no other up."""

    def __init__(self) -> None:
        self._overall = AsyncLimiter(30, 1)
        self._chats: OrderedDict[int | str, tuple[AsyncLimiter, AsyncLimiter | None]] = (
            OrderedDict()
        )
        self._paused: dict[int | str, float] = {}

    async def wait(self, chat: int | str, *, private: bool) -> None:
        """Return when a message may be sent to ``chat``."""
        await asyncio.sleep(self.paused_for(chat))
        per_second, per_minute = self._limiters(chat, private)
        await per_second.acquire()
        if per_minute is not None:
            await per_minute.acquire()
        await self._overall.acquire()

    def pause(self, chat: int | str, seconds: float) -> None:
        """Telegram said that nothing may be sent to ``chat`` for so long (429 retry_after)."""
        until = asyncio.get_running_loop().time() + seconds
        self._paused[chat] = max(until, self._paused.get(chat, until))

    def paused_for(self, chat: int | str) -> float:
        """Seconds for which nothing may be sent to ``chat``."""
        seconds = self._paused.get(chat, 0.0) - asyncio.get_running_loop().time()
        if seconds <= 0:
            self._paused.pop(chat, None)
        return max(seconds, 0.0)

    def _limiters(self, chat: int | str, private: bool) -> tuple[AsyncLimiter, AsyncLimiter | None]:
        found = self._chats.pop(chat, None)
        if found is None:
            # A few at once are let through: a long reply is one burst.
            found = (AsyncLimiter(3, 3), None if private else AsyncLimiter(20, 60))
        self._chats[chat] = found
        if len(self._chats) > CHATS:
            self._chats.popitem(last=False)
        return found
