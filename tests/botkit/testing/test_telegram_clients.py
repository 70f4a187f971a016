"""Bots that others' libraries make, on the simulated Telegram."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import telegram_contract
from programs import running
from side_environments import node_with, python_with
from waiting import until

from botkit.testing.telegram import TelegramSimulator

CLIENTS = Path(__file__).parent / "clients"
NODE = CLIENTS / "node"

AIOGRAM = "aiogram==3.31.0"
PTB = "python-telegram-bot[webhooks]==22.8"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(client: str) -> list[str | Path]:
    """How the program is started, up to its address, token and port."""
    if client == "grammy":
        return ["node", NODE / "telegram_grammy.mjs", node_with(NODE / "package.json")]
    if client == "aiogram":
        return [python_with("aiogram", AIOGRAM), CLIENTS / "telegram_aiogram.py"]
    if client == "ptb webhook":
        return [python_with("telegram-webhooks", PTB), CLIENTS / "telegram_ptb.py"]
    return [sys.executable, CLIENTS / "telegram_ptb.py"]


@pytest.fixture(params=["ptb polling", "ptb webhook", "aiogram", "grammy"])
async def telegram(request: pytest.FixtureRequest) -> AsyncIterator[TelegramSimulator]:
    """A simulated Telegram with that bot on it; all that went over the line is checked."""
    start = command(request.param)
    port = free_port() if request.param == "ptb webhook" else 0
    async with TelegramSimulator(time_scale=0.05) as simulator:
        root = simulator.api_base_url.removesuffix("/bot")
        async with running(*start, root, simulator.bot_token, str(port)):
            await simulator.called("setMyCommands")
            if port:
                await simulator.called("setWebhook")
            yield simulator
        telegram_contract.check_simulator(simulator)


async def test_a_bot_hears_answers_and_is_pressed(telegram: TelegramSimulator) -> None:
    alice = telegram.user("Alice")
    alice.send("/start")
    (welcome,) = await telegram.replies(alice.chat, 1)
    assert welcome.text == "Welcome, Alice!"
    assert telegram.state.commands == [{"command": "start", "description": "Begin"}]

    alice.send("123 é😀")
    (answer,) = await telegram.replies(alice.chat, 1)
    assert answer.text == "heard 123 é😀"
    query = alice.click(answer, "Press")
    await until(lambda: answer.versions == ["heard 123 é😀", "you pressed it"], within=10)
    assert query not in telegram.state.callbacks
    assert answer.buttons == {}

    alice.send_photo(b"12345", "look")
    (size,) = await telegram.replies(alice.chat, 1)
    assert size.text == "5 bytes"


async def test_a_bot_survives_a_limit_and_a_group(telegram: TelegramSimulator) -> None:
    alice, group = telegram.user("Alice"), telegram.group("Team")
    alice.send("not for the bot", chat=group)
    alice.send("@test_bot hello", chat=group)
    (answer,) = await telegram.replies(group, 1)
    assert answer.text == "heard @test_bot hello"
    telegram.deliveries.copies = 2
    alice.send("/start@test_bot", chat=group)
    await until(lambda: len(telegram.said(group)) >= 2, within=10)
