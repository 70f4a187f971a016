"""Replies of 1 to 40,001 characters, with emoji and code fences, arrive whole on both platforms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_bot import bot_on_slack
from telegram_bot import bot_on_telegram
from waiting import until

from botkit.middleware.tidy import tidied
from botkit.replies import Reply
from botkit_adapters.slack.render import render as render_slack
from botkit_adapters.telegram.render import render as render_telegram
from botkit_adapters.telegram.utf16 import utf16_len

LONGEST = 40_001
BLOCK = (
    "Some words with 😀 and é in them, enough of them to fill a line.\n\n"
    "```python\nfor emoji in '👩‍👩‍👧 🇵🇹':\n    print(emoji)\n```\n\n"
)
SLACK = {"team": "T", "channel": "D", "thread": "", "user": "U", "assistant": False}
TELEGRAM = {"chat": 1, "private": True, "topic": None, "reply_to": None}


def reply_of(length: int) -> str:
    """A text of so many characters, the last of which is a full stop."""
    blocks, rest = divmod(length, len(BLOCK))
    text = BLOCK * blocks + "é😀 word " * (rest // 8 + 1)
    return text[: length - 1] + "."


def letters(text: str) -> str:
    """The text without its fences, and without white space: what has to arrive."""
    return re.sub(r"\s", "", re.sub(r"^(`{1,3}|~~~)\w*$", "", text, flags=re.MULTILINE))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, LONGEST))
def test_every_length_is_cut_within_the_limits(length: int) -> None:
    text = tidied(reply_of(length))
    on_slack = [payload["markdown"] for payload in render_slack(Reply(text), SLACK, None)]
    assert letters("\n".join(on_slack)) == letters(text)
    assert all(len(piece) <= 12_000 for piece in on_slack)
    sent = [each["arguments"] for each in render_telegram(Reply(text), TELEGRAM, None)]
    said = "\n".join(arguments["text"] for arguments in sent)
    assert re.sub(r"[\s`]", "", said) == re.sub(r"`", "", letters(text))
    assert all(utf16_len(arguments["text"]) <= 4096 for arguments in sent)
    assert all(
        entity["offset"] + entity["length"] <= utf16_len(arguments["text"])
        for arguments in sent
        for entity in arguments.get("entities", ())
    )


@pytest.mark.parametrize("length", [1, 2, 3_501, 4_097, 11_501, LONGEST])
async def test_slack_shows_it_whole(tmp_path: Path, length: int) -> None:
    text = tidied(reply_of(length))
    async with bot_on_slack(tmp_path, replies=lambda request: text) as running:
        ada = running.slack.user("Ada")
        ada.say("go")
        said = running.slack.said
        await until(lambda: letters("\n".join(said(ada.channel))) == letters(text), within=60)


@pytest.mark.parametrize("length", [1, 2, 3_501, 4_097, 11_501, LONGEST])
async def test_telegram_shows_it_whole(tmp_path: Path, length: int) -> None:
    text = tidied(reply_of(length))
    async with bot_on_telegram(tmp_path, replies=lambda request: text) as running:
        ada = running.telegram.user("Ada")
        ada.send("go")
        wanted = re.sub(r"`", "", letters(text))
        said = running.telegram.said
        await until(lambda: re.sub(r"[\s`]", "", "".join(said(ada.chat))) == wanted, within=60)
