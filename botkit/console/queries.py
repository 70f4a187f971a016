"""What a request asks for, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from botkit.types import ConversationKey

LARGEST_ID = 2**63 - 1
_PLATFORM = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,17})?", re.ASCII)


class QueryError(ValueError):
    """A request asks for what there cannot be; the message says what it may ask for."""


def limit(query: Mapping[str, str], usual: int, most: int = 500) -> int:
    """How many: ``limit``."""
    text = query.get("limit")
    if text is None:
        return usual
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= most:
        raise QueryError(f"limit must be a whole number from 1 to {most}.")
    return int(text)


def before(query: Mapping[str, str]) -> float | None:
    """Where the next page begins, in seconds since 1970: ``before``."""
    text = query.get("before")
    if text is None:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise QueryError("before must be a time in seconds since 1970, as a page's 'next' is.")
    return value


def platform(query: Mapping[str, str]) -> str | None:
    """Of which platform: ``platform``; None for all."""
    text = query.get("platform") or None
    if text is not None and not _PLATFORM.fullmatch(text):
        raise QueryError("platform must be the name of an adapter, as slack.")
    return text


def conversation(query: Mapping[str, str]) -> ConversationKey:
    """Which conversation: ``key``."""
    try:
        return ConversationKey.parse(query.get("key", ""))
    except ValueError:
        raise QueryError("key must be a conversation: platform:space:channel:thread.") from None


def value(query: Mapping[str, str]) -> str | None:
    """Which feedback: ``value``; None for any."""
    text = query.get("value") or None
    if text is not None and text not in ("positive", "negative"):
        raise QueryError("value must be positive or negative.")
    return text


def letter(text: str) -> int:
    """The number of a dead letter."""
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= LARGEST_ID:
        raise QueryError("A dead letter has a whole number.")
    return int(text)
