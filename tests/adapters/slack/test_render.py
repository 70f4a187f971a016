"""Replies of any length, whole and within Slack's limits."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import ActionsBlock, Block, ContextActionsBlock, MarkdownBlock

from botkit.replies import Button, Reply
from botkit_adapters.slack.render import message, render
from botkit_adapters.slack.split import split

ADDRESS = {"team": "T", "channel": "C", "thread": "1.0", "user": "U", "assistant": False}
LINES = st.lists(
    st.sampled_from(["word " * 30, "😀", "", "```", "```python", "~~~", "- a", "x" * 700]),
    max_size=400,
)


def without_fences(text: str) -> str:
    return re.sub(r"\s", "", re.sub(r"^ {0,3}(```|~~~).*$", "", text, flags=re.MULTILINE))


def fences_balance(text: str) -> bool:
    opened = ""
    for mark, language in re.findall(r"^ {0,3}(```|~~~)(.*)$", text, flags=re.MULTILINE):
        if not opened:
            opened = mark
        elif mark == opened and not language.strip():
            opened = ""
    return not opened


@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(500, 3000))
def test_pieces_are_the_text_and_fences_stay_whole(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    pieces = split(text, limit)
    assert all(len(piece) <= limit for piece in pieces)
    assert without_fences("\n".join(pieces)) == without_fences(text)
    assert all(fences_balance(piece) for piece in pieces[:-1])


def test_a_fence_that_opens_at_the_end_of_a_piece_has_room_to_be_closed() -> None:
    text = "\n".join(["word " * 190, "```", "x" * 700, "```"])
    for limit in range(940, 970):
        pieces = split(text, limit)
        assert all(len(piece) <= limit and fences_balance(piece) for piece in pieces), limit


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40_001))
def test_a_long_word_is_cut_anywhere(length: int) -> None:
    text = "é" * length
    assert "".join(split(text, 11_500)) == text


def test_blocks_are_valid_for_the_sdk() -> None:
    buttons = tuple(Button(f"B{number}", "pick", str(number)) for number in range(30))
    reply = Reply("**hi** <you>", buttons=buttons, suggestions=("more",), feedback=True)
    (payload,) = render(reply, ADDRESS, None)
    sent = message(payload)
    assert sent["text"] == "**hi** &lt;you&gt;"
    blocks = Block.parse_all(sent["blocks"])
    kinds = [type(block) for block in blocks]
    assert kinds == [MarkdownBlock, ActionsBlock, ActionsBlock, ContextActionsBlock]
    for block in blocks:
        block.validate_json()
