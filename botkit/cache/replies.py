"""The cache of replies: memory in front of Redis, and one generation for all who ask at once."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from botkit.cache.flight import Flights, Say
from botkit.cache.key import Asker, person
from botkit.cache.memory import MemoryReplies
from botkit.cache.reply import Gathered, Reply
from botkit.cache.shared import Found, SharedReplies
from botkit.completion.chat import ChatCompletionChunk
from botkit.completion.closing import close
from botkit.metrics import Metrics

logger = logging.getLogger(__name__)

Outcome = Literal["hit", "miss", "shared", "uncacheable"]
"""Kept from before; asked for; written for somebody else at the same time; not to be kept."""

Generate = Callable[[], AsyncIterator[ChatCompletionChunk]]
Told = Callable[[Outcome], None]

LONGEST_WAIT = 60.0
"""Seconds to wait for another process's reply; then this one writes its own."""

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25
"""Between two looks at whether another process is done."""

ERASE_AGAIN = 0.25
"""Seconds between two attempts to erase somebody from a Redis that is away."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What :meth:`ReplyCache.stream` is given."""

    key: str
    asker: Asker
    gathered: Gathered
    generate: Generate
    told: Told


class ReplyCache:
    """Replies by key.

    With Redis, nothing is served from memory that Redis was not asked about: only it knows whom
    another process has forgotten. While it is away, every process writes its own replies.

    Args:
        memory: What this process remembers.
        shared: What all processes remember; None for memory alone.
        metrics: Where it counts.
        seconds: For which a reply is kept.
        longest_wait: Seconds to wait for another process's reply.
    """

    def __init__(
        self,
        memory: MemoryReplies,
        shared: SharedReplies | None,
        metrics: Metrics,
        seconds: float,
        *,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._metrics = metrics
        self._seconds = seconds
        self._longest_wait = longest_wait
        self._flights: Flights[ChatCompletionChunk] = Flights()
        self._epoch = b""
        self._to_erase: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    def stream(
        self, key: str, asker: Asker, gathered: Gathered, generate: Generate, told: Told
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The reply, from wherever it is to be had.

        Args:
            key: Of the request.
            asker: Who asks.
            gathered: Empty; puts the reply together.
            generate: Asks the model.
            told: Told the outcome, before the first chunk.
        """
        shared = self._shared
        if shared is None and key not in self._flights:
            reply = self._remembered(key)
            if reply is not None:
                return _again(reply, told)
        request = _Request(key, asker, gathered, generate, told)

        async def work(say: Say[ChatCompletionChunk]) -> None:
            if shared is None:
                await self._write(request, say)
            else:
                await self._find_or_write(shared, request, say)

        return self._flights.join(key, asker.people, work, lambda: told("shared"))

    def count(self, outcome: Outcome) -> None:
        """Count a request."""
        self._metrics.cache_requests.labels(outcome).inc()

    async def forget(self, platform: str, sender: str) -> None:
        """Erase every reply that a person's turns made.

        A Redis that is away is asked again until it has erased them; until then, or until they
        expire, this process serves none of them.
        """
        who = person(platform, sender)
        self._memory.forget(who)
        self._epoch = secrets.token_bytes(16)  # what is being written now may be theirs
        self._measure()
        if self._shared is None or await self._shared.forget(who):
            return
        if who not in self._to_erase:
            self._to_erase.add(who)
            self._spawn(self._erase(self._shared, who))

    async def aclose(self) -> None:
        """End what goes on in the background, and forget what is in memory."""
        if self._background:
            await asyncio.wait(self._background, timeout=2 * ERASE_AGAIN)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._to_erase:
            logger.warning("Redis was away: what it keeps of a forgotten person has to expire")
        self._memory.clear()
        self._measure()

    def _remembered(self, key: str) -> Reply | None:
        kept = self._memory.get(key)
        return None if kept is None else Reply.decode(key, kept)

    async def _find_or_write(
        self, shared: SharedReplies, request: _Request, say: Say[ChatCompletionChunk]
    ) -> None:
        """With Redis: the reply that is kept, or that another process is writing, or a new one."""
        token = secrets.token_hex(16)
        clock = asyncio.get_running_loop().time
        end = clock() + self._longest_wait
        pause = 0.0
        while True:
            found = await self._look(shared, request.key, token)
            reply = None if found is None else await self._served(shared, request.key, found)
            if reply is not None:
                request.told("shared" if pause else "hit")
                for chunk in reply.chunks():
                    say(chunk)
                return
            if found is None or found.mine or clock() >= end:
                break
            if not found.settled:
                pause = min(1.5 * pause or FIRST_PAUSE, LONGEST_PAUSE)
                await asyncio.sleep(pause)
        if found is not None and found.mine:
            await self._write_locked(shared, token, request, say)
        else:
            await self._write(request, say)

    async def _look(self, shared: SharedReplies, key: str, token: str) -> Found | None:
        """What Redis says. Where somebody was forgotten meanwhile, memory is emptied."""
        known = self._epoch if key in self._memory else b""
        found = await shared.look(key, token, known)
        if found is not None and found.epoch != self._epoch:
            self._memory.clear()
            self._measure()
            self._epoch = found.epoch
        return found

    async def _served(self, shared: SharedReplies, key: str, found: Found) -> Reply | None:
        """The reply that was found, if it may be served; what is damaged is deleted."""
        if found.known:
            reply = self._remembered(key)
            if reply is None:
                self._memory.drop(key)
            return reply
        if found.kept is None:
            return None
        kept, people, seconds = found.kept
        reply = Reply.decode(key, kept) if self._to_erase.isdisjoint(people) else None
        if reply is None:
            await shared.drop(key)
            return None
        self._memory.put(key, kept, people, seconds)
        self._measure()
        return reply

    async def _write(self, request: _Request, say: Say[ChatCompletionChunk]) -> Reply | None:
        """A new reply, remembered once it is whole; returns what may be kept."""
        epoch = self._epoch
        request.told("miss")
        chunks = request.generate()
        try:
            async for chunk in chunks:
                request.gathered.add(chunk)
                say(chunk)
        finally:
            await close(chunks)
        reply = request.gathered.reply() if epoch == self._epoch else None
        if reply is not None:
            key, people = request.key, request.asker.people
            self._memory.put(key, reply.encode(key), people, self._seconds)
            self._measure()
        return reply

    async def _write_locked(
        self,
        shared: SharedReplies,
        token: str,
        request: _Request,
        say: Say[ChatCompletionChunk],
    ) -> None:
        """A new reply for all processes; the lock is given back with it, or without."""
        key, epoch = request.key, self._epoch
        reply: Reply | None = None
        try:
            async with _renewing(shared, key, token):
                reply = await self._write(request, say)
        finally:
            if reply is None:
                self._spawn(shared.release(key, token))
            else:
                kept = reply.encode(key)
                self._spawn(shared.keep(key, token, epoch, kept, request.asker.people))

    async def _erase(self, shared: SharedReplies, who: str) -> None:
        while not await shared.forget(who):  # noqa: ASYNC110 - Redis does not say when it is back
            await asyncio.sleep(ERASE_AGAIN)
        self._to_erase.discard(who)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done without waiting for it."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _measure(self) -> None:
        self._metrics.cache_bytes.set(self._memory.size)
        self._metrics.cache_entries.set(len(self._memory))


async def _again(reply: Reply, told: Told) -> AsyncGenerator[ChatCompletionChunk, None]:
    told("hit")
    for chunk in reply.chunks():
        yield chunk


@asynccontextmanager
async def _renewing(shared: SharedReplies, key: str, token: str) -> AsyncIterator[None]:
    """Hold the lock for as long as the block runs."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(shared.lock_seconds / 3)
            await shared.renew(key, token)

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
