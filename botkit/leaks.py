"""Tokens of chat templates that a model wrote as if they were text."""

from __future__ import annotations

import re

_NAMES = "bos|eos|pad|unk|start_of_turn|end_of_turn|start_header_id|end_header_id|eot_id"
_SPECIAL = rf"<\|[a-zA-Z0-9_]{{2,40}}\|>|</?(?:{_NAMES})>|\[/?INST\]|<</?SYS>>"
"""ChatML and its kin, Llama 2 and 3, Gemma, Mistral."""

_SENTINEL = r"</?s>"
"""Begins and ends texts of Llama 2; anywhere else it strikes words out, or is a type."""

_CODE = r"```[\s\S]*?(?:```|$)|`[^`\n]*`"
"""Where template tokens are what is talked about."""

_THEIRS = r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|\[INST\]|<\|(?=user\|>|system\|>)"
"""Where the model goes on with the other side of the conversation."""

_OWN_TURN = re.compile(
    rf"^\s*(?:{_SENTINEL}\s*)?(?:<\|im_start\|>assistant|<start_of_turn>model"
    r"|<\|start_header_id\|>assistant<\|end_header_id\|>)\s*"
)
_PARTS = re.compile(rf"(?P<code>{_CODE})|(?P<theirs>{_THEIRS})|(?P<special>{_SPECIAL})")
_ENDING = re.compile(rf"(?:\s*(?:{_SPECIAL}|{_SENTINEL}))+\s*$")
_BEGINNING = re.compile(rf"^\s*{_SENTINEL}")
_PARTIAL = re.compile(r"(?:<[|/<a-zA-Z0-9_]{0,44}|\[/?[INST]{0,4})$")


def cleaned(text: str, *, whole: bool = True) -> str:
    """``text`` up to where it plays somebody else's turn, without special tokens; code is left.

    Args:
        text: What a model wrote.
        whole: It has ended; else an end that may become a special token is held back.
    """
    if "<" not in text and "[" not in text:
        return text
    if not whole:
        text = _PARTIAL.sub("", text)
    text = _BEGINNING.sub("", _OWN_TURN.sub("", text))
    kept, at = [], 0
    for part in _PARTS.finditer(text):
        if part["code"] is not None:
            continue
        kept.append(text[at : part.start()])
        at = part.end()
        if part["theirs"] is not None:
            return "".join(kept)
    kept.append(text[at:])
    return re.sub(rf"(?:\s*{_SENTINEL})+\s*$", "", "".join(kept)) if whole else "".join(kept)


def leaks(text: str) -> bool:
    """Whether a special token is in it, other than in code or at the end, where it only says that
    it ends."""
    parts = _PARTS.finditer(_ENDING.sub("", text))
    return any(part["code"] is None for part in parts)
