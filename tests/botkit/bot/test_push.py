"""Turns run inside a request, for platforms that freeze a process after its response."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.bot import Bot
from botkit.errors import SettingsError
from botkit.push import SIGNATURE, sign, verify
from botkit.testing.served import serving
from botkit.testing.telegram import TelegramSimulator

KEY = b"a key of some length"


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_a_signature_holds_for_five_minutes_and_one_body(body: bytes, now: int) -> None:
    signature = sign(KEY, body, now)
    assert verify(KEY, body, signature, now + 300)
    assert not verify(KEY, body, signature, now + 301)
    assert not verify(KEY, body + b"x", signature, now)
    assert not verify(b"another", body, signature, now)


@pytest.mark.parametrize("signature", ["", "t=,v1=", "t=x,v1=y", "t=1", "é", "t=" + "9" * 30])
def test_another_signature_is_refused(signature: str) -> None:
    assert not verify(KEY, b"{}", signature, time.time())


async def test_a_message_is_answered_through_a_push(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/internal/turns"
    async with (
        TelegramSimulator(time_scale=0.01) as telegram,
        serving(
            telegram=telegram,
            home=tmp_path,
            secret_key="k",
            trigger="http",
            turns_url=url,
            port=port,
        ),
    ):
        alice = telegram.user("Alice")
        for text in ("hello", "again"):
            alice.send(text)
            (reply,) = await telegram.replies(alice.chat, 1)
            assert reply.text.endswith(f": {text}")


async def test_what_is_due_later_is_pushed_later(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bot, attempts = Bot(), 0

    @bot.default
    async def answer() -> str:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise RuntimeError("broken once")
        return "mended"

    async with (
        TelegramSimulator(time_scale=0.01) as telegram,
        serving(
            bot,
            telegram=telegram,
            home=tmp_path,
            secret_key="k",
            trigger="http",
            turns_url=f"http://127.0.0.1:{port}/internal/turns",
            port=port,
        ),
    ):
        alice = telegram.user("Alice")
        alice.send("hello")
        (reply,) = await telegram.replies(alice.chat, 1)
        assert reply.text == "mended"


async def test_only_signed_pushes_run_turns(tmp_path: Path) -> None:
    async with serving(home=tmp_path, secret_key="k") as served, aiohttp.ClientSession() as session:
        url = f"{served.address}/internal/turns"
        async with session.post(url, data=b"{}") as response:
            assert response.status == 401
        for body, status in ((b"{}", 200), (b"[", 400), (b'{"conversation": "x"}', 400)):
            headers = {SIGNATURE: sign(b"k", body, time.time())}
            async with session.post(url, data=body, headers=headers) as response:
                assert response.status == status


async def test_the_http_trigger_needs_a_key_and_a_url(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="BOTKIT_SECRET_KEY"):
        async with serving(home=tmp_path, trigger="http"):
            pass
