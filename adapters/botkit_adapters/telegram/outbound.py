"""Sending one payload, without what Telegram refuses of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botkit.adapter import Outgoing, Receipt
from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUncertainError,
)
from botkit_adapters.telegram.calls import Calls, ChatMovedError
from botkit_adapters.telegram.pacing import telegram_pacer
from botkit_adapters.telegram.render import REMOVE

logger = logging.getLogger(__name__)

Moved = Callable[[str, str], Awaitable[None]]
"""Told of a chat's old and new id."""


class Outbound:
    """Messages, edits and files."""

    def __init__(self, calls: Calls, moved: Moved) -> None:
        self._calls = calls
        self._moved = moved
        self._pacer = telegram_pacer()

    async def pace(self, outgoing: Outgoing) -> None:
        """Wait for the chat's turn; see :meth:`botkit.adapter.Adapter.pace`."""
        if outgoing.payload["method"] != REMOVE:
            await self._pacer.wait(outgoing.payload["arguments"]["chat_id"])

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload; see :meth:`botkit.adapter.Adapter.deliver`."""
        payload = outgoing.payload
        chat = payload["arguments"]["chat_id"]
        try:
            if payload["method"] == REMOVE:
                return await self._remove(payload["arguments"])
            return await self._send(payload)
        except ChatMovedError as error:
            await self._moved(str(chat), str(error.chat))
            moved = {**payload["arguments"], "chat_id": error.chat}
            moved.pop("reply_parameters", None)
            return await self._send({**payload, "arguments": moved, "edit": None})
        except DeliveryDelayedError as error:
            if error.retry_after:
                self._pacer.pause(chat, error.retry_after)
            raise

    async def _remove(self, arguments: Mapping[str, Any]) -> Receipt:
        """Take a placeholder away; that it cannot be, or is gone already, is no loss of a reply."""
        try:
            await self._calls.call(REMOVE, arguments)
        except (ChatMovedError, DeliveryRefusedError) as error:
            logger.info("a placeholder was not removed: %s", error.reason)
        except DeliveryUncertainError as error:
            raise DeliveryDelayedError(error.reason) from None  # harmless to do again
        return Receipt()

    async def _send(self, payload: Mapping[str, Any]) -> Receipt:
        arguments = dict(payload["arguments"])
        if payload.get("edit"):
            with contextlib.suppress(DeliveryRefusedError):
                return await self._replace(arguments, payload["edit"])
        try:
            sent = await self._calls.call(payload["method"], arguments, files=payload.get("file"))
        except DeliveryRefusedError as error:
            reason = error.reason.lower()
            if "entit" in reason and arguments.pop("entities", None):
                return await self._send({**payload, "arguments": arguments, "edit": None})
            if "thread not found" in reason and arguments.pop("message_thread_id", None):
                return await self._send({**payload, "arguments": arguments, "edit": None})
            raise
        return Receipt(str(sent["message_id"]))

    async def _replace(self, arguments: Mapping[str, Any], message_id: int) -> Receipt:
        """Put the text into the placeholder; that it is there already is as good.

        Raises:
            DeliveryRefusedError: The placeholder takes no text, and is gone.
        """
        kept = ("chat_id", "text", "entities", "reply_markup")
        fields = {name: arguments[name] for name in kept if name in arguments}
        try:
            await self._calls.call("editMessageText", {**fields, "message_id": message_id})
        except DeliveryRefusedError as error:
            reason = error.reason.lower()
            if "not modified" in reason:
                return Receipt(str(message_id))
            if "entit" in reason and fields.pop("entities", None):
                return await self._replace(fields, message_id)
            with contextlib.suppress(DeliveryError):
                gone = {"chat_id": arguments["chat_id"], "message_id": message_id}
                await self._calls.call(REMOVE, gone)
            raise
        return Receipt(str(message_id))
