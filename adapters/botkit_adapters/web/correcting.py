"""Messages that take the place of another: what goes with the one that is corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botkit.feed import FeedEntry
from botkit.types import Json
from botkit_adapters.web.refusals import invalid
from botkit_adapters.web.shown import REMOVES

REPLACES = 50
"""How many messages one may stand for that were written anew again and again."""

REMOVED = 4 * REPLACES
"""Ids that it names at most: of each message, its reply and what was thought of that."""


@dataclass(frozen=True)
class Correction:
    """What a message says that takes another's place.

    Fields:
        fields: Of its entry.
        removes: The keys of the entries that go.
    """

    fields: dict[str, Json]
    removes: list[str]


def correction(entries: Sequence[FeedEntry], replaces: str) -> Correction:
    """How the visitor's last message is replaced: its replies go, and ratings of those. What
    answers something else stays.

    Args:
        entries: The last ones.
        replaces: The id of the message.

    Raises:
        RefusalError: It is not the visitor's last.
    """
    said = [entry for entry in entries if _role(entry) == "user"]
    if not said or said[-1].key != replaces:
        raise invalid("replaces: Only the last message of yours can be changed.")
    going = [said[-1], *_about(entries, "assistant", "reply_to", {replaces})]
    going += _about(entries, "rating", "about", {entry.key for entry in going})
    value: dict[str, Any] = said[-1].value
    ids = [str(entry.value["id"]) for entry in going]
    named = list(dict.fromkeys([*value.get(REMOVES, ()), *ids]))[-REMOVED:]
    return Correction({"replaces": replaces, REMOVES: list(named)}, [entry.key for entry in going])


def unanswered(entries: Sequence[FeedEntry]) -> FeedEntry | None:
    """What the visitor said last, where nothing answers it; what answers something else may have
    come after it, but nothing that the bot said by itself."""
    for entry in reversed(entries):
        if _role(entry) == "user":
            answers = _about(entries, "assistant", "reply_to", {entry.key})
            return None if answers else entry
        if _role(entry) == "assistant" and not entry.value.get("reply_to"):
            return None
    return None


def _about(entries: Sequence[FeedEntry], role: str, name: str, keys: set[str]) -> list[FeedEntry]:
    return [entry for entry in entries if _role(entry) == role and entry.value.get(name) in keys]


def _role(entry: FeedEntry) -> str:
    return str(entry.value.get("role", ""))
