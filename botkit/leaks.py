"""Tokens of chat templates that a model wrote as if they were text."""

from __future__ import annotations

import re

_NAMES = "bos|eos|pad|unk|s|start_of_turn|end_of_turn|start_header_id|end_header_id|eot_id"
SPECIAL = re.compile(
    rf"<\|[a-zA-Z0-9_]{{2,40}}\|>|</?(?:{_NAMES})>|\[/?INST\]|<</?SYS>>",
)
"""ChatML and its kin, Llama 2 and 3, Gemma, Mistral."""

_TURN = re.compile(
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|\[INST\]|<\|(?=user\|>|system\|>))"
    r"[\s\S]*"
)
"""Where the model goes on with the other side of the conversation."""


_ENDING = re.compile(rf"(?:\s*(?:{SPECIAL.pattern}))+\s*$")


def cleaned(text: str) -> str:
    """``text`` up to where it plays somebody else's turn, without special tokens."""
    if "<" not in text and "[" not in text:
        return text
    start = _TURN.match(text.lstrip())
    if start is not None and start.group(0).startswith(
        ("<|im_start|>assistant", "<start_of_turn>")
    ):
        text = SPECIAL.sub("", text.lstrip(), count=1).removeprefix("assistant").lstrip()
        text = text.removeprefix("model").lstrip() if start.group(0)[1] == "s" else text
    return SPECIAL.sub("", _TURN.sub("", text))


def leaks(text: str) -> bool:
    """Whether a special token is in it other than at the end, where it only says that it ends."""
    return SPECIAL.search(_ENDING.sub("", text)) is not None
