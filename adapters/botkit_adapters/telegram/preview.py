"""A reply while it is written: a draft in a private chat, an edited message in a group.

A draft (https://core.telegram.org/bots/api#sendmessagedraft) lasts thirty seconds and leaves
nothing behind; a group sees a message that is edited, and the reply takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Mapping
from typing import Any

from botkit.adapter import SavePreview
from botkit.errors import DeliveryDelayedError, DeliveryError, StoreError
from botkit.types import Event, Json
from botkit_adapters.telegram.calls import Calls
from botkit_adapters.telegram.render import TEXT_UNITS
from botkit_adapters.telegram.utf16 import utf16_cut

DRAFT_SECONDS = 0.4
EDIT_SECONDS = 1.5
"""Between two updates of a preview. Edits count against a group's twenty messages a minute."""

FIRST_EDIT_CHARACTERS = 20
EDITS = 12
"""Of one reply at most; the last is the reply itself."""


class TelegramPreview:
    """Shows the newest text at its own pace; see :class:`botkit.adapter.Preview`."""

    def __init__(self, calls: Calls, event: Event, saved: Json | None, save: SavePreview) -> None:
        self._calls = calls
        self._address: Mapping[str, Any] = event.address
        self._draft_id = zlib.crc32(event.id.encode()) % 0x7FFFFFFE + 1
        self._message_id: int | None = saved["message_id"] if saved else None
        self._save = save
        self._text = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._placing: asyncio.Task[None] | None = None
        self._edits = 0

    async def update(self, text: str) -> None:
        """Show ``text`` soon."""
        self._text = text
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._show())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._placing is not None:
            await asyncio.gather(self._placing, return_exceptions=True)

    async def _show(self) -> None:
        private = self._address["private"]
        pause = DRAFT_SECONDS if private else EDIT_SECONDS
        while private or self._edits < EDITS:
            await self._changed.wait()
            self._changed.clear()
            text = utf16_cut(self._text.strip(), TEXT_UNITS)
            if len(text) < (1 if private or self._message_id else FIRST_EDIT_CHARACTERS):
                continue
            try:
                await (self._draft(text) if private else self._edit(text))
            except DeliveryDelayedError as error:
                await asyncio.sleep(error.retry_after or pause)
            except (DeliveryError, StoreError):
                return
            await asyncio.sleep(pause)

    async def _draft(self, text: str) -> None:
        await self._calls.call(
            "sendMessageDraft",
            {
                "chat_id": self._address["chat"],
                "message_thread_id": self._address.get("topic"),
                "draft_id": self._draft_id,
                "text": text,
            },
        )

    async def _edit(self, text: str) -> None:
        self._edits += 1
        chat = self._address["chat"]
        if self._message_id is not None:
            arguments = {"chat_id": chat, "message_id": self._message_id, "text": text}
            await self._calls.call("editMessageText", arguments)
            return
        # Cancelled between the two, the message would be left without anybody knowing of it.
        self._placing = asyncio.create_task(self._place(text))
        await asyncio.shield(self._placing)

    async def _place(self, text: str) -> None:
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
        self._message_id = sent["message_id"]
        with contextlib.suppress(StoreError):
            await self._save({"message_id": self._message_id})
