"""A bot that is killed again and again: nothing is lost, and doubles are only where they may be.

``make soak`` kills it 200 times per database, ``make test`` a few times.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from bot_process import DyingBot
from postgres_server import PostgresServer
from telegram_bot import SECRET
from waiting import until

from botkit.testing.telegram import TelegramSimulator

KILLS = int(os.environ.get("BOTKIT_SOAK_KILLS", "8"))
COPIES = int(os.environ.get("BOTKIT_SOAK_COPIES", "10"))
SIGKILL_SECONDS = 10
"""After SIGTERM, on most platforms."""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.mark.timeout(60 + 20 * KILLS)
async def test_kills_lose_nothing(tmp_path: Path, database: str) -> None:
    chance = random.Random(KILLS)
    async with TelegramSimulator(time_scale=0.05) as telegram:
        bot = DyingBot(telegram, database, tmp_path)
        telegram.set_webhook(f"http://127.0.0.1:{bot.port}/telegram/webhook", SECRET)
        people = [telegram.user(f"P{number}") for number in range(10)]
        sent: list[tuple[int, str]] = []
        kills = 0
        while kills < KILLS:
            await bot.start(chance.randint(4, 28))
            for _ in range(2):
                person = chance.choice(people)
                text = f"message {len(sent)} of many"
                person.send(text)
                sent.append((person.chat.id, text))
            while await bot.ended(within=1.0) is None:
                person = chance.choice(people)
                text = f"message {len(sent)} of many"
                person.send(text)
                sent.append((person.chat.id, text))
            kills += bot.process is not None and bot.process.returncode == -signal.SIGKILL
        await bot.start()
        await until(lambda: _unanswered(telegram, sent) == [], within=60 + KILLS)
        await asyncio.sleep(2.5)
        assert await bot.stop() == 0, bot.log[-2000:]
        replies = Counter(
            (chat.id, text)
            for chat in telegram.state.chats.values()
            for text in telegram.said(chat)
        )
        doubled = sum(count - 1 for count in replies.values())
        died = bot.died.read_text().splitlines()
        # One kill may hit several conversations between send and record; each is counted.
        counted = bot.log.count("may have been taken already, and is sent again")
        assert len(died) >= KILLS
        assert set(replies) == set(sent)
        assert doubled <= counted, (doubled, counted, Counter(died))
        _in_order(telegram, sent)


def _unanswered(telegram: TelegramSimulator, sent: list[tuple[int, str]]) -> list[tuple[int, str]]:
    said = {chat.id: set(telegram.said(chat)) for chat in telegram.state.chats.values()}
    return [(chat, text) for chat, text in sent if text not in said[chat]]


def _in_order(telegram: TelegramSimulator, sent: list[tuple[int, str]]) -> None:
    """The first reply to each message came in the order of the messages."""
    for chat in telegram.state.chats.values():
        firsts = list(dict.fromkeys(telegram.said(chat)))
        assert firsts == [text for where, text in sent if where == chat.id]


async def test_sigterm_under_load_loses_nothing(tmp_path: Path, database: str) -> None:
    async with TelegramSimulator(time_scale=0.05) as telegram:
        bot = DyingBot(telegram, database, tmp_path)
        telegram.set_webhook(f"http://127.0.0.1:{bot.port}/telegram/webhook", SECRET)
        people = [telegram.user(f"P{number}") for number in range(20)]
        sent: list[tuple[int, str]] = []

        def everybody() -> None:
            for person in people:
                text = f"message {len(sent)}"
                person.send(text)
                sent.append((person.chat.id, text))

        await bot.start()
        for _ in range(5):
            everybody()
        await telegram.called("sendMessage", 10, within=60)
        everybody()
        async with asyncio.timeout(SIGKILL_SECONDS):
            assert await bot.stop() == 0, bot.log[-2000:]
        await bot.start()
        await until(lambda: _unanswered(telegram, sent) == [], within=60)
        assert await bot.stop() == 0
        assert sum(len(telegram.said(person.chat)) for person in people) == len(sent)
        _in_order(telegram, sent)


@pytest.mark.timeout(120 + 3 * COPIES)
async def test_two_processes_share_one_database(tmp_path: Path, database: str) -> None:
    async with TelegramSimulator(time_scale=0.05) as telegram:
        bots = [DyingBot(telegram, database, tmp_path) for _ in range(2)]
        people = [telegram.user(f"P{number}") for number in range(10)]
        for bot in bots:
            await bot.start()
        updates = [
            {"message": telegram.state.post(person.chat, person.user, {"text": text}).data}
            for text in [f"message {number}" for number in range(10)]
            for person in people
        ]
        await _deliver_often(bots, updates)
        await telegram.called("sendMessage", 100, within=90)
        await asyncio.sleep(1.5)
        for bot in bots:
            assert await bot.stop() == 0
        for person in people:
            said = telegram.said(person.chat)
            assert Counter(said) == Counter(f"message {number}" for number in range(10))


async def _deliver_often(bots: list[DyingBot], updates: list[dict[str, object]]) -> None:
    """Every update COPIES times, fifty at a time, to either process; until each is acknowledged."""
    room = asyncio.Semaphore(50)
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}

    async def post(session: aiohttp.ClientSession, number: int, copy: int) -> None:
        port = bots[(number + copy) % 2].port
        url = f"http://127.0.0.1:{port}/telegram/webhook"
        update = {"update_id": number + 1, **updates[number]}
        async with room:
            for _ in range(100):
                try:
                    async with session.post(url, json=update, headers=headers) as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        raise AssertionError("never acknowledged")

    async with aiohttp.ClientSession() as session:
        # Of one chat in order, as Telegram delivers; the copies at once.
        for turn in range(10):
            wave = range(turn * 10, turn * 10 + 10)
            await asyncio.gather(
                *(post(session, at, copy) for at in wave for copy in range(COPIES))
            )
