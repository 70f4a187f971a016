"""Entries of a feed as pages are given them."""

from __future__ import annotations

from typing import Any

from botkit.feed import FeedEntry
from botkit.types import Json
from botkit_adapters.web.tokens import Tokens

REMOVES = "removes"
"""Ids of entries that go with what an entry takes the place of, and of all that went before."""


def shown(entry: FeedEntry, tokens: Tokens, session: str) -> dict[str, Any]:
    """The entry, its files with fresh addresses that only ``session`` was given."""
    value = dict(entry.value)
    if files := value.get("files"):
        value["files"] = [with_address(file, tokens, session) for file in files]
    return {"seq": entry.seq, "at": round(entry.at, 3), **value}


def with_address(file: dict[str, Json], tokens: Tokens, session: str) -> dict[str, Json]:
    """What is known of a file, and where it can be fetched."""
    key = tokens.address(session, file["id"])
    return {**file, "url": f"/web/files/{file['id']}?key={key}"}
