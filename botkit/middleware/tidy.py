"""Reply post-processing: what a model leaves behind that no person should see."""

from __future__ import annotations

import re
from dataclasses import replace

from botkit.leaks import cleaned
from botkit.pipeline import CallNext
from botkit.replies import Reply
from botkit.turn import Turn

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udfff]")
_BLANK = re.compile(r"\n(?:[ \t]*\n){3,}")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.MULTILINE)


async def tidy(turn: Turn, call_next: CallNext) -> Reply | None:
    """Clean the reply's text with :func:`tidied`."""
    reply = await call_next(turn)
    return None if reply is None else replace(reply, text=tidied(reply.text))


def tidied(text: str) -> str:
    """Without control characters, special tokens, outer and many blank lines; every code fence
    closed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _BLANK.sub("\n\n", cleaned(_CONTROL.sub("", text))).strip("\n").rstrip()
    opened = ""
    for fence in _FENCE.findall(text):
        if not opened:
            opened = fence
        elif fence[0] == opened[0] and len(fence) >= len(opened):
            opened = ""
    return f"{text}\n{opened}" if opened else text
