"""Adding replies to the feed: each once, however often it is tried."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Intake, Outgoing, Receipt
from botkit.errors import DeliveryDelayedError, StoreError
from botkit.types import ConversationKey
from botkit_adapters.web.files import Files, clean_name
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.kinds import sane
from botkit_adapters.web.shown import REPLACED

AGAIN_SECONDS = 1.0

LATEST = 20
"""Entries among which the one is that has taken another's place."""


class Outbound:
    """Delivers.

    Args:
        intake: Where entries and files go.
        hub: Shows them.
        files: Keeps what comes along.
    """

    def __init__(self, intake: Intake, hub: Hub, files: Files) -> None:
        self._intake = intake
        self._hub = hub
        self._files = files

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Add one payload; see :meth:`botkit.adapter.Adapter.deliver`.

        Tried again it changes nothing, so that whatever goes wrong is merely late.
        """
        try:
            return await self._deliver(_key(outgoing), outgoing.payload)
        except StoreError as error:
            raise DeliveryDelayedError(type(error).__name__, AGAIN_SECONDS) from None

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """Whether the payload was added."""
        where = ConversationKey.parse(outgoing.payload["conversation"])
        key = _key(outgoing)
        try:
            found = await self._intake.feed.entry(where, key)
        except StoreError as error:
            raise DeliveryDelayedError(type(error).__name__, AGAIN_SECONDS) from None
        return None if found is None else Receipt(key)

    async def _deliver(self, key: str, payload: Mapping[str, Any]) -> Receipt:
        where = ConversationKey.parse(payload["conversation"])
        entry = {"id": key, **payload["entry"]}
        if await self._was_replaced(where, entry.get("reply_to", "")):
            return Receipt()
        if payload["files"]:
            entry["files"] = [
                await self._files.keep(
                    payload["sender"],
                    where.channel,
                    clean_name(file["name"]),
                    sane(file["type"]),
                    base64.b64decode(file["data"]),
                    f"f_{key}_{number}",
                )
                for number, file in enumerate(payload["files"])
            ]
        head, added = await self._intake.feed.append(where, key, entry)
        self._hub.answered(where, head, added)
        return Receipt(key)

    async def _was_replaced(self, where: ConversationKey, reply_to: str) -> bool:
        """Whether the person took back what this answers."""
        if not reply_to:
            return False
        page = await self._intake.feed.after(where, 0, LATEST)
        return any(reply_to in entry.value.get(REPLACED, ()) for entry in page.entries)


def _key(outgoing: Outgoing) -> str:
    return f"m{outgoing.id}"
