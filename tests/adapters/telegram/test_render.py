"""Replies of any length, whole and within Telegram's limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram_bot import bot_on_telegram
from waiting import until

from botkit.errors import HandlerError
from botkit.replies import Button, Reply
from botkit_adapters.telegram.keyboards import keyboard, pack_data, unpack_data
from botkit_adapters.telegram.render import TEXT_UNITS, split
from botkit_adapters.telegram.utf16 import utf16_cut, utf16_len, utf16_slice

WORDS = st.lists(st.sampled_from(["word", "😀", "é", "中文", "\n", "\n\n", "a.b"]), max_size=3000)


def letters(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=40, deadline=None)
@given(WORDS)
def test_plain_words_arrive_whole(words: list[str]) -> None:
    text = " ".join(words)
    pieces = split(text) if text.strip() else []
    assert letters("".join(piece for piece, _ in pieces)) == letters(text)
    assert all(utf16_len(piece) <= TEXT_UNITS for piece, _ in pieces)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 600), st.integers(1, 400))
def test_code_arrives_whole_and_as_code(lines: int, words: int) -> None:
    code = "".join(f"print({number})\n" for number in range(lines))
    pieces = split(f"{'word ' * words}\n\n```python\n{code}```\n\nend 😀")
    shown = [
        utf16_slice(piece, entity["offset"], entity["length"])
        for piece, entities in pieces
        for entity in entities
        if entity["type"] == "pre"
    ]
    assert letters("".join(shown)) == letters(code)
    for piece, entities in pieces:
        assert utf16_len(piece) <= TEXT_UNITS
        assert all(each["offset"] + each["length"] <= utf16_len(piece) for each in entities)


@pytest.mark.parametrize("length", [1, 4096, 4097, 40_001])
async def test_long_replies_arrive_whole(tmp_path: Path, length: int) -> None:
    text = ("é😀 word " * (length // 8 + 1))[: length - 1] + "."
    async with bot_on_telegram(tmp_path, replies=lambda request: text) as running:
        alice = running.telegram.user("Alice")
        alice.send("go")
        said = running.telegram.said
        await until(lambda: letters("".join(said(alice.chat))) == letters(text), within=60)


@given(st.text(max_size=200), st.integers(0, 300))
def test_cutting_keeps_characters_whole(text: str, limit: int) -> None:
    cut = utf16_cut(text, limit)
    assert text.startswith(cut)
    assert utf16_len(cut) <= limit
    assert utf16_len(text) <= limit or utf16_len(cut) >= limit - 1


def test_buttons_that_cannot_be_carried_are_refused() -> None:
    assert unpack_data(pack_data("buy", "a|b")) == ("buy", "a|b")
    with pytest.raises(HandlerError, match="63 bytes"):
        keyboard(Reply("x", buttons=(Button("Buy", "buy", "v" * 64),)))
