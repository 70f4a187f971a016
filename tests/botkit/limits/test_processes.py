"""Two processes, one Redis: together they spend a budget, and no more."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from redis_server import RedisServer

SPENDING = Path(__file__).parents[2] / "support" / "spending.py"
TOKENS = 20_000


async def test_two_processes_spend_one_budget(tmp_path: Path, redis_server: RedisServer) -> None:
    database = f"sqlite:///{tmp_path / 'bot.db'}"
    command = [str(SPENDING), database, redis_server.url, "ada", str(TOKENS)]
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE)
        for _ in range(2)
    ]
    redis_server.client.set("go", 1)
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    spent = [int(output) for output, _ in outputs]
    assert all(spent), "both had their share"
    # What one holds, the other takes for spent: a little may be left.
    assert TOKENS - 20 * 50 <= sum(spent) <= TOKENS
    client = redis_server.client
    kept = [int(client.get(key)) for key in client.keys("botkit:tokens:*")]
    assert kept == [sum(spent)]
