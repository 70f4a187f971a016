"""A process that is frozen right after an acknowledgement, as some platforms do it, answers once.

``make soak`` freezes it for a minute, ``make test`` for a few leases.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from bot_process import DyingBot
from postgres_server import PostgresServer
from telegram_bot import SECRET
from waiting import until

from botkit.testing.telegram import TelegramSimulator
from botkit.testing.telegram.people import Person

FREEZE = float(os.environ.get("BOTKIT_SOAK_FREEZE", "4"))
"""Seconds; a lease lasts one here."""

THINK = 1.0
SETTLED = 3.0
"""Seconds in which a second reply would have come."""

_numbers = itertools.count(1)


class FreezingBot(DyingBot):
    """A bot that takes a while to answer, and can be frozen meanwhile."""

    def __init__(self, telegram: TelegramSimulator, database: str, home: Path) -> None:
        super().__init__(telegram, database, home, script="slow_bot.py")
        self._environment |= {"THINK_SECONDS": str(THINK)}
        self.url = f"http://127.0.0.1:{self.port}"

    async def listening(self, session: aiohttp.ClientSession) -> None:
        """Return once it can answer."""
        async with asyncio.timeout(90):
            while True:
                try:
                    async with session.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def left() -> Iterator[list[FreezingBot]]:
    """Bots that are ended in any case: a frozen one does not hear SIGTERM."""
    bots: list[FreezingBot] = []
    yield bots
    for bot in bots:
        if bot.process is not None and bot.process.returncode is None:
            bot.process.kill()


@pytest.mark.timeout(400 + 2 * FREEZE)
async def test_thawed_it_finishes_the_turn_once(
    tmp_path: Path, database: str, left: list[FreezingBot]
) -> None:
    async with TelegramSimulator(time_scale=0.05) as telegram, aiohttp.ClientSession() as session:
        bot = FreezingBot(telegram, database, tmp_path)
        left.append(bot)
        await bot.start()
        await bot.listening(session)
        ada = telegram.user("Ada")
        await _acknowledged(session, bot, ada, "hello")
        bot.freeze()
        await asyncio.sleep(FREEZE)
        assert telegram.said(ada.chat) == []
        bot.thaw()
        await until(lambda: telegram.said(ada.chat) != [], within=90)
        await asyncio.sleep(SETTLED)
        assert telegram.said(ada.chat) == ["hello"]
        assert await bot.stop() == 0, bot.log[-2000:]


@pytest.mark.timeout(400 + 2 * FREEZE)
async def test_meanwhile_another_process_finishes_the_turn_once(
    tmp_path: Path, postgres: PostgresServer, left: list[FreezingBot]
) -> None:
    """On PostgreSQL, as processes on several machines are: the frozen one may hold a lock."""
    async with TelegramSimulator(time_scale=0.05) as telegram, aiohttp.ClientSession() as session:
        database = postgres.database()
        frozen, other = (FreezingBot(telegram, database, tmp_path) for _ in range(2))
        left += [frozen, other]
        await frozen.start()
        await frozen.listening(session)
        ada = telegram.user("Ada")
        await _acknowledged(session, frozen, ada, "hello")
        frozen.freeze()
        began = asyncio.get_running_loop().time()
        await other.start()
        await until(lambda: telegram.said(ada.chat) == ["hello"], within=90)
        await asyncio.sleep(max(0.0, began + FREEZE - asyncio.get_running_loop().time()))
        frozen.thaw()
        await asyncio.sleep(SETTLED + THINK)
        assert telegram.said(ada.chat) == ["hello"]
        await _acknowledged(session, frozen, ada, "again")
        await until(lambda: telegram.said(ada.chat) == ["hello", "again"], within=90)
        for bot in (frozen, other):
            assert await bot.stop() == 0, bot.log[-2000:]
        assert telegram.said(ada.chat) == ["hello", "again"]


async def _acknowledged(
    session: aiohttp.ClientSession, bot: FreezingBot, person: Person, text: str
) -> None:
    """Return with the 200 for a message."""
    message = person.telegram.state.post(person.chat, person.user, {"text": text}).data
    update = {"update_id": next(_numbers), "message": message}
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    webhook = f"{bot.url}/telegram/webhook"
    async with session.post(webhook, json=update, headers=headers) as response:
        assert response.status == 200
