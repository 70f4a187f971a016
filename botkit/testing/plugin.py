"""Fixtures for the tests of a bot.

In ``conftest.py``: ``pytest_plugins = ["botkit.testing.plugin"]``.

Override ``bot`` with your own. A test that takes ``telegram`` or ``slack`` talks to it there; one
that takes ``replies`` says what the model answers::

    async def test_it_answers(telegram):
        alice = telegram.user("Alice")
        alice.send("hello")
        assert [said.text for said in await telegram.replies(alice.chat, 1)] == ["1: hello"]

Needs pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from botkit.bot import Bot
from botkit.testing.served import serving
from botkit.testing.slack import SlackSimulator
from botkit.testing.telegram import TelegramSimulator


@pytest.fixture
def bot() -> Bot:
    """The bot that is tested."""
    return Bot()


@pytest.fixture
def replies() -> list[str]:
    """What the model says, one after another; with none it repeats what it hears."""
    return []


@pytest_asyncio.fixture
async def slack(bot: Bot, replies: list[str]) -> AsyncIterator[SlackSimulator]:
    """A simulated Slack with the bot on it."""
    async with SlackSimulator() as simulator, serving(bot, slack=simulator, replies=replies):
        yield simulator


@pytest_asyncio.fixture
async def telegram(bot: Bot, replies: list[str]) -> AsyncIterator[TelegramSimulator]:
    """A simulated Telegram with the bot on it."""
    async with TelegramSimulator() as simulator, serving(bot, telegram=simulator, replies=replies):
        yield simulator
