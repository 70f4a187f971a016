"""Two processes and a real Redis: one generation, no stale reply, whoever dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cache_process
from cache_process import CacheUser, answer
from redis_server import RedisServer
from waiting import until

from botkit.cache.shared import EPOCH, PREFIX


class Peer:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            found: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return found

    async def asked(self, text: str) -> dict[str, Any]:
        await self.tell(f"ask {text}")
        return await self.said()

    async def begins(self, text: str) -> None:
        """Ask, and be in the middle of the reply."""
        await self.tell("hold")
        await self.said()
        await self.tell(f"ask {text}")
        await self.tell("running")
        assert await self.said() == {"running": 1}


@contextlib.asynccontextmanager
async def peer(url: str) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(cache_process.__file__)),
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        other = Peer(process)
        assert await other.said() == {"ready": True}
        yield other
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def user(url: str) -> AsyncIterator[CacheUser]:
    mine = CacheUser(url)
    try:
        yield mine
    finally:
        await mine.aclose()


async def test_a_reply_of_one_process_is_the_others_too(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        assert await other.asked("a") == {"text": answer("a"), "outcome": "miss", "started": 1}
        assert await mine.ask("a") == (answer("a"), "hit")
        assert await mine.ask("a", who="u2") == (answer("a"), "hit")
        assert await mine.ask("a", scope="of another") == (answer("a"), "miss")
        assert mine.model.counts.started == 1


async def test_equal_questions_at_once_cost_both_one_generation(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await other.begins("a")
        asking = [asyncio.create_task(mine.ask("a")) for _ in range(50)]
        await asyncio.sleep(0.2)
        assert mine.model.counts.started == 0
        await other.tell("go")
        assert (await other.said())["text"] == answer("a")
        assert await asyncio.gather(*asking) == [(answer("a"), "shared")] * 50
        assert mine.model.counts.started == 0


async def test_a_lock_is_held_for_as_long_as_the_reply_takes(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await other.begins("a")
        asking = asyncio.create_task(mine.ask("a"))
        await asyncio.sleep(2.5 * cache_process.LOCK_SECONDS)
        assert mine.model.counts.started == 0
        await other.tell("go")
        assert await asking == (answer("a"), "shared")


async def test_what_a_killed_process_was_writing_is_taken_over(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await other.begins("a")
        asking = asyncio.create_task(mine.ask("a"))
        other.process.kill()
        assert await asking == (answer("a"), "miss")
        await mine.settle()
        assert redis_server.client.exists(*redis_server.client.keys(f"{PREFIX}reply:*")) == 1


async def test_who_is_forgotten_in_one_process_is_in_the_other(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await mine.ask("a")
        await mine.ask("b", who="u2")
        await mine.settle()
        assert await mine.ask("a") == (answer("a"), "hit")  # from its memory
        await other.tell("forget")
        assert await other.said() == {"forgotten": True}
        kept = redis_server.client.keys(f"{PREFIX}reply:*")
        assert len(kept) == 1
        assert await mine.ask("a") == (answer("a"), "miss")
        assert await mine.ask("b", who="u2") == (answer("b"), "hit")


async def test_a_reply_that_was_being_written_to_whom_is_forgotten_is_not_kept(
    redis_server: RedisServer,
) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        mine.gate.clear()
        asking = asyncio.create_task(mine.ask("a"))
        await until(lambda: mine.model.counts.running == 1)
        await other.tell("forget")
        await other.said()
        mine.gate.set()
        assert await asking == (answer("a"), "miss")
        await mine.settle()
        assert redis_server.client.keys(f"{PREFIX}reply:*") == []
        assert await mine.ask("a") == (answer("a"), "miss")


async def test_forgetting_while_redis_is_away_is_made_up_for(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await mine.ask("a")
        await other.asked("a")
        await mine.settle()
        redis_server.freeze()
        await mine.cache.forget(cache_process.PLATFORM, cache_process.SENDER)
        assert len(mine.memory) == 0
        redis_server.thaw()
        await mine.settle()
        assert redis_server.client.keys(f"{PREFIX}reply:*") == []
        assert (await other.asked("a"))["outcome"] == "miss"


async def test_what_no_erasure_would_find_is_not_served(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine, peer(redis_server.url) as other:
        await mine.ask("a")
        await mine.settle()
        redis_server.client.delete(*redis_server.client.keys(f"{PREFIX}person:*"))
        assert (await other.asked("a"))["outcome"] == "miss"


async def test_an_emptied_redis_empties_memory_too(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as mine:
        await mine.ask("a")
        await mine.settle()
        redis_server.flush()
        assert await mine.ask("a") == (answer("a"), "miss")


async def test_garbage_is_a_miss_and_is_deleted(redis_server: RedisServer) -> None:
    client = redis_server.client
    async with user(redis_server.url) as writer, user(redis_server.url) as mine:
        for number in range(8):
            text = f"question {number}"
            await writer.ask(text)
            await writer.settle()
            (name,) = client.keys(f"{PREFIX}reply:*")
            kept = client.hget(name, "reply")
            if number == 0:
                client.hset(name, "reply", b"nonsense")
            elif number == 1:
                client.hset(name, "reply", kept[:-3])
            elif number == 2:
                client.hset(name, "reply", kept.replace(b"answer", b"ANSWER"))
            elif number == 3:
                client.delete(name)
                client.set(name, b"of another kind")
            elif number == 4:
                client.hdel(name, "people")
            elif number == 5:
                client.hset(name, "people", b"\xff\xfe")
            elif number == 6:
                client.set(EPOCH, b"\xff")
                client.delete(name)
            else:
                client.delete(EPOCH, name)
                client.rpush(EPOCH, 1)
            assert await mine.ask(text) == (answer(text), "miss"), number
            await mine.settle()
            assert await mine.ask(text) == (answer(text), "hit"), number
            client.delete(*client.keys(f"{PREFIX}reply:*"))


async def test_a_lock_that_never_ends_is_not_believed(redis_server: RedisServer) -> None:
    async with user(redis_server.url) as writer, user(redis_server.url) as mine:
        await writer.ask("a")
        await writer.settle()
        (name,) = redis_server.client.keys(f"{PREFIX}reply:*")
        redis_server.client.delete(name)
        redis_server.client.set(name.replace(b":reply:", b":lock:"), "somebody")
        async with asyncio.timeout(5):
            assert await mine.ask("a") == (answer("a"), "miss")
