"""Entries of a feed as pages are given them."""

from __future__ import annotations

from typing import Any

from botkit.feed import FeedEntry
from botkit.types import Json
from botkit_adapters.web.tokens import Tokens

REPLACED = "replaced"
"""Ids that an entry has taken the place of, one after another; for us alone."""


def shown(entry: FeedEntry, tokens: Tokens, sender: str) -> dict[str, Any]:
    """The entry, its files with fresh addresses that only ``sender`` was given."""
    value = {name: part for name, part in entry.value.items() if name != REPLACED}
    if files := value.get("files"):
        value["files"] = [with_address(file, tokens, sender) for file in files]
    return {"seq": entry.seq, "at": round(entry.at, 3), **value}


def with_address(file: dict[str, Json], tokens: Tokens, sender: str) -> dict[str, Json]:
    """What is known of a file, and where it can be fetched."""
    key = tokens.address(sender, file["id"])
    return {**file, "url": f"/web/files/{file['id']}?key={key}"}
