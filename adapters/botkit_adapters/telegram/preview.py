"""A reply while it is written: a draft in a private chat, an edited message in a group.

A draft (https://core.telegram.org/bots/api#sendmessagedraft) lasts thirty seconds and leaves
nothing behind; a group sees a placeholder that is edited, and the reply takes its place.

What is saved, for a later attempt and for the delivery:

* ``message_id``: the placeholder. With ``unsettled`` an edit of it may be carried out any time
  yet: the reply is a message of its own, and the placeholder is deleted.
* ``message_id`` None: one may have been sent, and Telegram cannot be asked. No second one is, and
  the reply is a message of its own. Should the first be there, it stays: that takes a process that
  dies, or an answer that gets lost, in the very moment in which a placeholder is sent.
* nothing: none is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Mapping
from typing import Any

from botkit.adapter import Holds, SavePreview
from botkit.errors import DeliveryError, DeliveryUncertainError, StoreError
from botkit.types import Event, Json
from botkit_adapters.errands import Errands
from botkit_adapters.showing import Showing
from botkit_adapters.telegram.calls import Calls
from botkit_adapters.telegram.render import REMOVE, TEXT_UNITS
from botkit_adapters.telegram.utf16 import utf16_cut

DRAFT_SECONDS = 0.4
EDIT_SECONDS = 1.5
"""Between two updates of a preview. Edits count against a group's twenty messages a minute."""

FIRST_EDIT_CHARACTERS = 20
EDITS = 12
"""Of one reply at most; the last is the reply itself."""


class TelegramPreview:
    """Shows the newest text at its own pace; see :class:`botkit.adapter.Preview`.

    Args:
        errands: Takes a placeholder back that comes about after the preview was closed.
    """

    def __init__(
        self,
        calls: Calls,
        errands: Errands,
        event: Event,
        *,
        saved: Json | None,
        save: SavePreview,
        holds: Holds,
    ) -> None:
        self._calls = calls
        self._errands = errands
        self._address: Mapping[str, Any] = event.address
        self._draft_id = zlib.crc32(event.id.encode()) % 0x7FFFFFFE + 1
        self._saved: dict[str, Any] | None = dict(saved) if saved else None
        self._save = save
        self._holds = holds
        self._placing: asyncio.Task[int] | None = None
        self._unsettled = False
        self._edits = 0
        self._showing = Showing(self._show)

    async def update(self, text: str) -> None:
        """Show ``text`` soon."""
        await self._showing.update(text)

    async def close(self) -> None:
        """Stop."""
        try:
            await self._showing.close()
        finally:
            if self._placing is not None and self._saved == {"message_id": None}:
                self._errands.begin(self._take_back(self._placing))
            if self._unsettled and self._saved is not None:
                await self._keep({**self._saved, "unsettled": True})

    async def _show(self, text: str) -> float | None:
        if not self._holds():
            return None
        text = utf16_cut(text.strip(), TEXT_UNITS)
        if self._address["private"]:
            return await self._draft(text) if text else 0.0
        if self._saved is None and len(text) < FIRST_EDIT_CHARACTERS:
            return 0.0
        self._edits += 1
        if self._saved is None:
            await self._open(text)
        elif self._saved["message_id"] is None:
            return None
        elif text:
            await self._edit(self._saved["message_id"], text)
        return EDIT_SECONDS if self._edits < EDITS else None

    async def _draft(self, text: str) -> float:
        await self._calls.call(
            "sendMessageDraft",
            {
                "chat_id": self._address["chat"],
                "message_thread_id": self._address.get("topic"),
                "draft_id": self._draft_id,
                "text": text,
            },
        )
        return DRAFT_SECONDS

    async def _open(self, text: str) -> None:
        """Send the placeholder. That is kept before it is done: whatever happens then, no second
        one is sent. So an attempt that finds nothing saved may send one, were there others before.
        """
        opening = {"message_id": None}
        await self._save(opening)
        if not self._holds():
            return
        self._saved = opening
        self._placing = self._errands.begin(self._place(text))
        try:
            message_id = await asyncio.shield(self._placing)
        except DeliveryUncertainError:
            raise
        except DeliveryError:
            self._saved = None
            await self._keep({})
            raise
        self._saved = {"message_id": message_id}
        await self._keep(self._saved)

    async def _place(self, text: str) -> int:
        arguments: dict[str, Any] = {
            "chat_id": self._address["chat"],
            "message_thread_id": self._address.get("topic"),
            "text": text,
        }
        if self._address.get("reply_to"):
            arguments["reply_parameters"] = {
                "message_id": self._address["reply_to"],
                "allow_sending_without_reply": True,
            }
        sent = await self._calls.call("sendMessage", arguments)
        return int(sent["message_id"])

    async def _take_back(self, placing: asyncio.Task[int]) -> None:
        """Delete a placeholder that came too late; nobody else knows its id."""
        with contextlib.suppress(DeliveryError):
            gone = {"chat_id": self._address["chat"], "message_id": await placing}
            await self._calls.call(REMOVE, gone)

    async def _edit(self, message_id: int, text: str) -> None:
        self._unsettled = True
        arguments = {"chat_id": self._address["chat"], "message_id": message_id, "text": text}
        try:
            await self._calls.call("editMessageText", arguments)
        except DeliveryError as error:
            self._unsettled = isinstance(error, DeliveryUncertainError)
            raise
        self._unsettled = False

    async def _keep(self, saved: Json) -> None:
        with contextlib.suppress(StoreError):
            await self._save(saved)
