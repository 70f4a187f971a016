"""Telegram's rules for formatted text (https://core.telegram.org/bots/api#formatting-options)."""

from __future__ import annotations

from typing import Any

from botkit.testing.telegram.state import ApiError

ENTITIES = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold"}
    | {"italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"}
    | {"code", "pre", "text_link", "text_mention", "custom_emoji", "date_time"}
)
PARSE_MODES = frozenset({"markdown", "markdownv2", "html"})


def utf16(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_entities(text: str, entities: Any) -> None:
    """Every entity is of a known type, within ``text``, and does not cut a character.

    Raises:
        ApiError: Another one is there.
    """
    if not isinstance(entities, list):
        raise _unparsed("expected an Array of MessageEntity")
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        offset, size = entity.get("offset"), entity.get("length")
        if not (isinstance(offset, int) and isinstance(size, int)):
            raise _unparsed("no offset or length")
        if entity.get("type") not in ENTITIES:
            raise _unparsed("unsupported entity type")
        if entity["type"] == "text_link" and not entity.get("url"):
            raise _unparsed("text_link without url")
        end = offset + size
        if offset < 0 or size <= 0 or 2 * end > len(units) or _cuts(units, offset, end):
            raise ApiError(400, "Bad Request: ENTITY_BOUNDS_INVALID")


def check_parse_mode(mode: Any) -> None:
    """A parse mode is one that Telegram knows; the marks themselves are shown as they came.

    Raises:
        ApiError: Another one is asked for.
    """
    if mode and str(mode).lower() not in PARSE_MODES:
        raise ApiError(400, "Bad Request: unsupported parse_mode")


def _cuts(units: bytes, *places: int) -> bool:
    """Whether one of the places is inside a surrogate pair."""
    highs = (units[2 * at + 1] for at in places if 2 * at < len(units))
    return any(0xDC <= high <= 0xDF for high in highs)


def _unparsed(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse entities: {reason}")
