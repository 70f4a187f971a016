"""`botkit push` against a server that runs turns only when told to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from botkit.testing.served import serving
from botkit.testing.telegram import TelegramSimulator


async def test_a_push_has_the_server_work(tmp_path: Path, botkit_command: Any) -> None:
    async with (
        TelegramSimulator() as telegram,
        serving(
            telegram=telegram,
            home=tmp_path,
            secret_key="k",
            trigger="http",
            turns_url="http://127.0.0.1:9/nobody",
        ) as served,
    ):
        url = f"{served.address}/internal/turns"
        alice = telegram.user("Alice")
        alice.send("hello")
        await served.reached("botkit_events_accepted_total", 1)
        assert telegram.said(alice.chat) == []

        def push(**variables: str) -> tuple[int, str]:
            done = botkit_command.run("push", **variables)
            return done.returncode, (done.stdout + done.stderr).decode()

        code, said = await asyncio.to_thread(push, BOTKIT_TURNS_URL=url, BOTKIT_SECRET_KEY="k")
        assert (code, said) == (0, "nothing is due\n")
        assert telegram.said(alice.chat) == ["1: hello"]
        code, said = await asyncio.to_thread(push, BOTKIT_TURNS_URL=url, BOTKIT_SECRET_KEY="x")
        assert code == 1
        assert "BOTKIT_SECRET_KEY" in said


def test_what_it_lacks_is_said(botkit_command: Any) -> None:
    done = botkit_command.run("push")
    assert done.returncode == 1
    assert b"BOTKIT_SECRET_KEY" in done.stderr
    away = botkit_command.run(
        "push", BOTKIT_SECRET_KEY="k", BOTKIT_TURNS_URL="http://127.0.0.1:9/internal/turns"
    )
    assert away.returncode == 1
    assert b"cannot be reached" in away.stderr
    assert b"Traceback" not in away.stderr
