"""The fixtures for tests of bots, used by a project of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from botkit.testing.served import serving
from botkit.testing.telegram import TelegramSimulator

PROJECT = {
    "conftest.py": 'pytest_plugins = ["botkit.testing.plugin"]\n',
    "test_bot.py": """
import pytest
from botkit import Bot

@pytest.fixture
def bot():
    bot = Bot()

    @bot.command("hi")
    async def hi(name: str):
        return f"Hello, {name}!"

    return bot

async def test_telegram(telegram):
    alice = telegram.user("Alice")
    alice.send("/hi Ada")
    assert [said.text for said in await telegram.replies(alice.chat, 1)] == ["Hello, Ada!"]

async def test_slack(slack):
    alice = slack.user("Alice")
    alice.say("good morning")
    assert [said.text for said in await slack.replies(alice.channel, 1)] == ["1: good morning"]
""",
}


def test_a_bots_own_tests_pass(tmp_path: Path) -> None:
    for name, text in PROJECT.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


async def test_the_real_world_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "real.db"
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-real")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "real")
    monkeypatch.setenv("BOTKIT_PUBLIC_URL", "https://real.example.com")
    monkeypatch.setenv("BOTKIT_DATABASE_URL", f"sqlite:///{elsewhere}")
    async with TelegramSimulator() as telegram, serving(telegram=telegram) as served:
        assert list(served.application.adapters) == ["telegram"]
        alice = telegram.user("Alice")
        alice.send("hello")
        await telegram.replies(alice.chat, 1)
        assert not telegram._done("setWebhook")
    assert not elsewhere.exists()
