"""Telegram counts text in UTF-16 code units (https://core.telegram.org/api/entities)."""

from __future__ import annotations


def utf16_len(text: str) -> int:
    """How many UTF-16 code units ``text`` takes."""
    return len(text) + sum(character > "\uffff" for character in text)


def utf16_slice(text: str, offset: int, length: int) -> str:
    """The part that begins ``offset`` units in and is ``length`` units long."""
    data = text.encode("utf-16-le", "surrogatepass")
    part = data[2 * max(offset, 0) : 2 * max(offset + length, 0)]
    return part.decode("utf-16-le", "replace")


def utf16_cut(text: str, limit: int) -> str:
    """The longest beginning of ``text`` within ``limit`` units; no character is torn apart."""
    if utf16_len(text) <= limit:
        return text
    data = text.encode("utf-16-le", "surrogatepass")[: 2 * limit]
    return data.decode("utf-16-le", "ignore")
