"""Cutting Markdown into pieces without breaking a code fence."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
MARGIN = 80
"""Characters kept free for closing a fence at a piece's end and opening it again."""


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most ``limit`` characters, cut at the end of a line where there is one.

    A fence that a cut runs through is closed before it and opened again after it, with its
    language. Joined with the fences taken out, the pieces are the text.
    """
    if len(text) <= limit:
        return [text] if text.strip() else []
    pieces: list[str] = []
    current, opened = "", ""
    for line in _lines(text, limit - MARGIN):
        after = _after(line, opened)
        closing = len(_mark(after)) + 1 if after else 0
        if current and len(current) + len(line) + closing > limit:
            pieces.append(_closed(current, opened))
            current = f"{opened}\n" if opened else ""
        current += line
        opened = after
    return [*pieces, current] if current.strip() else pieces


def _lines(text: str, limit: int) -> list[str]:
    """Lines with their ends; one that is too long in itself is cut at a space, or anywhere."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        while len(line) > limit:
            cut = line.rfind(" ", limit // 2, limit) + 1 or limit
            lines.append(line[:cut])
            line = line[cut:]
        lines.append(line)
    return lines


def _closed(piece: str, opened: str) -> str:
    if not opened:
        return piece
    return f"{piece.rstrip(chr(10))}\n{_mark(opened)}"


def _mark(opened: str) -> str:
    found = _FENCE.match(opened)
    return found[1] if found else ""


def _after(line: str, opened: str) -> str:
    """The fence that is open after ``line``: its opening line, shortened; or empty."""
    found = _FENCE.match(line.rstrip("\n"))
    if found is None:
        return opened
    if not opened:
        language = found[2].strip().split(" ")[0][:20]
        return "" if "`" in found[2] and found[1][0] == "`" else found[1][:20] + language
    mark = _mark(opened)
    closes = found[1][0] == mark[0] and len(found[1]) >= len(mark) and not found[2].strip()
    return "" if closes else opened
