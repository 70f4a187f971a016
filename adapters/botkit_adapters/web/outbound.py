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

AGAIN_SECONDS = 1.0


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
        if payload["files"]:
            entry["files"] = [
                await self._files.keep(
                    where,
                    clean_name(file["name"]),
                    sane(file["type"]),
                    base64.b64decode(file["data"]),
                    f"f_{key}_{number}",
                )
                for number, file in enumerate(payload["files"])
            ]
        reply_to = entry.get("reply_to", "")
        added = await self._intake.feed.append(where, key, entry, answers=reply_to)
        if added is None:  # the person took back what this answers: nobody is to see it
            self._hub.over(where, reply_to)
            for file in entry.get("files", ()):
                await self._files.drop(where, file["id"])
            return Receipt()
        self._hub.answered(where, *added)
        return Receipt(key)


def _key(outgoing: Outgoing) -> str:
    return f"m{outgoing.id}"
