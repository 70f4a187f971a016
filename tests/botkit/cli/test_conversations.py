"""`botkit conversations` and `botkit deadletters` on what a real bot left, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from stage import event, on_stage

from botkit import Bot
from botkit.store import open_store
from botkit.types import ConversationKey

KEY = "stage:s:c1:"
EVIL = "stage:s:c%3A2:"
"""Of a channel whose name holds the separator."""


def failing_bot() -> Bot:
    bot = Bot()

    @bot.message("^break$")
    async def fail() -> str:
        raise ValueError("private words")

    return bot


async def leave_traces(home: Path, database: str) -> None:
    """Two conversations, the later with a dead letter."""
    async with on_stage(home, failing_bot(), database=database, turn_attempts=1) as stage:
        await stage.say("hello\nthere", "c:2")
        await stage.replies(1, "c:2")
        await stage.idle()
        await stage.say("my name is Ada ☕")
        await stage.replies(1)
        await stage.say("break")
        await stage.replies(2)
        await stage.idle()


@pytest.fixture(params=["sqlite", "postgres"])
def used(request: pytest.FixtureRequest, botkit_command, tmp_path: Path) -> Callable[..., object]:
    """Run the command on a database that a bot has used."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'bot.db'}"
    else:
        url = request.getfixturevalue("postgres").database()
    asyncio.run(leave_traces(tmp_path / "home", url))

    def run(*arguments: str, stdin: bytes = b""):
        return botkit_command.run(*arguments, stdin=stdin, BOTKIT_DATABASE_URL=url)

    run.url = url  # type: ignore[attr-defined]
    return run


def test_list_show_export(used) -> None:
    done = used("conversations", "list")
    lines = done.stdout.decode().splitlines()
    assert [line.split("  ")[0] for line in lines] == [KEY, EVIL]
    assert all(line.endswith(" messages") for line in lines)
    assert used("conversations", "list", "--limit", "1").stdout.decode().splitlines() == lines[:1]

    shown = used("conversations", "show", EVIL).stdout.decode()
    assert shown == "user: hello\nthere\nassistant: 1 messages; you said: hello\nthere\n"
    last = used("conversations", "show", EVIL, "--limit", "1").stdout.decode()
    assert last == "assistant: 1 messages; you said: hello\nthere\n"

    exported = used("conversations", "export", KEY)
    kept = json.loads(exported.stdout)
    assert "my name is Ada ☕" in exported.stdout.decode()
    assert kept
    assert exported.stderr == b""


def test_erase_asks_first_and_takes_everything(used) -> None:
    done = used("conversations", "erase", KEY, stdin=b"n\n")
    assert done.returncode == 130
    assert used("conversations", "show", KEY).returncode == 0

    done = used("conversations", "erase", KEY, stdin=b"y\n")
    assert done.returncode == 0
    assert f"erased {KEY}" in done.stdout.decode()
    for command in ("show", "export"):
        gone = used("conversations", command, KEY)
        assert (gone.returncode, gone.stdout) == (1, b"")
        assert b"there is no conversation stage:s:c1:; `botkit conversations list`" in gone.stderr
    assert used("deadletters", "list").stdout == b""

    assert used("conversations", "erase", EVIL, "--yes").returncode == 0
    done = used("conversations", "list")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"no conversation yet\n")
    assert used("conversations", "erase", EVIL, "--yes").returncode == 1


def test_dead_letters_are_listed_and_tried_again(used, tmp_path: Path) -> None:
    listed = used("deadletters", "list").stdout.decode()
    number, _, kind, conversation, reason = listed.rstrip("\n").split("  ")
    assert (kind, conversation, reason) == ("turn", KEY, "ValueError")
    assert "private words" not in listed

    assert used("deadletters", "retry", number).stdout == f"{number} will be tried again\n".encode()
    assert used("deadletters", "list").stderr == b"no dead letters\n"
    again = used("deadletters", "retry", number)
    assert again.returncode == 1
    assert f"there is no dead letter {number}; ".encode() in again.stderr

    assert asyncio.run(answered_by_a_mended_bot(tmp_path / "home", used.url)) == [
        "3 messages; you said: break"
    ]


async def answered_by_a_mended_bot(home: Path, database: str) -> list[str]:
    async with on_stage(home, Bot(), database=database) as stage:
        said = await stage.replies(1)
        await stage.idle()
        return said


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("conversations", "show", "c1"), 1, "'c1' is not a conversation"),
        (("conversations", "erase", "c1", "--yes"), 1, "'c1' is not a conversation"),
        (("conversations", "export", KEY), 1, "there is no conversation"),
        (("conversations", "list", "--limit", "0"), 2, "not in the range"),
        (("conversations", "show", KEY, "--limit", "-1"), 2, "not in the range"),
        (("deadletters", "retry", "7"), 1, "there is no dead letter 7"),
        (("deadletters", "retry", "9" * 30), 2, "not in the range"),
        (("deadletters", "retry", "seven"), 2, "not a valid integer"),
    ],
)
def test_what_is_not_there(
    botkit_command, arguments: tuple[str, ...], status: int, reason: str
) -> None:
    done = botkit_command.run(*arguments)
    assert done.returncode == status
    assert reason in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_the_database_of_the_home_is_the_default(botkit_command, tmp_path: Path) -> None:
    home = Path(botkit_command.environment["BOTKIT_HOME"])
    asyncio.run(leave_traces(home, f"sqlite:///{home / 'botkit.db'}"))
    assert KEY in botkit_command.run("conversations", "list").stdout.decode()


async def test_a_running_bot_does_not_stand_in_the_way(botkit_command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    async with on_stage(tmp_path, Bot(), database=url) as stage:
        await stage.say("hello")
        await stage.replies(1)
        erase = ("conversations", "erase", KEY, "--yes")
        done = await asyncio.to_thread(botkit_command.run, *erase, BOTKIT_DATABASE_URL=url)
        assert done.returncode == 0
        await stage.hear(event("again"))
        assert (await stage.replies(2))[-1] == "1 messages; you said: again"
    store = await open_store(url)
    said = await store.history(ConversationKey.parse(KEY))
    await store.aclose()
    assert len(said) == 2
