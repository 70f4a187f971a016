"""The fixtures for tests of bots, used by a project of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
