"""The Telegram adapter: parse in, deliver out, stream."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botkit.adapter import (
    AdapterRoute,
    Capabilities,
    Holds,
    Intake,
    Outgoing,
    Preview,
    Receipt,
    SavePreview,
)
from botkit.errors import DeliveryError, DeliveryRefusedError, StoreError
from botkit.replies import Reply
from botkit.types import Attachment, Event, Json, Sender
from botkit_adapters.errands import Errands
from botkit_adapters.telegram.calls import Calls
from botkit_adapters.telegram.outbound import Outbound
from botkit_adapters.telegram.parse import PLATFORM, BotUser, Ignored, Moved, parse_update
from botkit_adapters.telegram.polling import UPDATES, poll
from botkit_adapters.telegram.preview import TelegramPreview
from botkit_adapters.telegram.render import render
from botkit_adapters.telegram.webhook import PATH, webhook_handler

logger = logging.getLogger(__name__)

DOWNLOAD_BYTES = 20 << 20
"""https://core.telegram.org/bots/api#getfile"""

TYPING_SECONDS = 4.5
"""A chat action shows for five (https://core.telegram.org/bots/api#sendchataction)."""


class TelegramAdapter:
    """One bot on Telegram.

    Args:
        token: The bot's.
        secret: Of the webhook; empty for none.
        base_url: The Bot API's address, or None for Telegram's own.
        public_url: Where Telegram reaches this server; None polls when there is no secret either.
    """

    name = PLATFORM
    capabilities = Capabilities(streams=True)

    def __init__(
        self,
        token: str,
        secret: str = "",
        base_url: str | None = None,
        public_url: str | None = None,
    ) -> None:
        self._secret = secret
        self._public_url = public_url
        self._calls = Calls(token, base_url)
        self._bot = BotUser(token.partition(":")[0])
        self._outbound = Outbound(self._calls, self._moved)
        self._errands = Errands()
        self._intake: Intake | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def routes(self, intake: Intake) -> Sequence[AdapterRoute]:
        """The webhook."""
        self._intake = intake
        return [AdapterRoute("POST", PATH, webhook_handler(self._secret, self.take))]

    async def start(self, intake: Intake) -> None:
        """Introduce the bot to Telegram in the background; poll where there is no webhook."""
        self._intake = intake
        self._tasks.append(asyncio.create_task(self._introduce(intake)))

    async def drain(self) -> None:
        """Nothing lasts."""

    async def aclose(self) -> None:
        """Stop polling and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._errands.aclose()
        await self._calls.aclose()

    async def take(self, update: Mapping[str, Any]) -> None:
        """Keep an update.

        Raises:
            ValueError: It is none.
            StoreError: It cannot be kept now.
        """
        assert self._intake is not None
        parsed = parse_update(update, self._bot)
        if isinstance(parsed, Ignored):
            self._intake.count("ignored", parsed.reason)
        elif isinstance(parsed, Moved):
            await self._intake.moved(self._bot.id, parsed.chat, parsed.new_chat)
        else:
            await self._intake.accept([parsed])

    async def working(self, event: Event) -> None:
        """Show "typing" until cancelled."""
        chat, callback = event.address.get("chat"), event.address.get("callback")
        if callback:
            # A button goes on waiting until it is confirmed, however quick the turn was.
            await asyncio.shield(self._errands.begin(self._confirm(callback)))
        where = {"chat_id": chat, "message_thread_id": event.address.get("topic")}
        with contextlib.suppress(DeliveryError):
            await asyncio.sleep(0.2)  # an answer that is there at once needs none
            while event.kind in ("message", "command"):
                await self._calls.call("sendChatAction", {**where, "action": "typing"})
                await asyncio.sleep(TYPING_SECONDS)

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        """A draft in a private chat, an edited message in a group."""
        return TelegramPreview(
            self._calls, self._errands, event, saved=saved, save=save, holds=holds
        )

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> Sequence[Json]:
        """The payloads; see :func:`botkit_adapters.telegram.render.render`."""
        return render(reply, event.address, saved)

    async def pace(self, outgoing: Outgoing) -> None:
        """Wait for the chat's turn."""
        await self._outbound.pace(outgoing)

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload."""
        return await self._outbound.deliver(outgoing)

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """Telegram cannot be asked."""
        raise DeliveryRefusedError("Telegram does not tell what was sent")

    async def fetch(self, event: Event, attachment: Attachment) -> bytes:
        """The bytes of an attachment; of at most 20 MB."""
        return await self._calls.download(attachment.id, DOWNLOAD_BYTES)

    async def profile(self, event: Event) -> Sender:
        """Every update says who sent it."""
        return event.sender

    async def _confirm(self, callback: str) -> None:
        with contextlib.suppress(DeliveryError):
            await self._calls.call("answerCallbackQuery", {"callback_query_id": callback})

    async def _moved(self, chat: str, new_chat: str) -> None:
        assert self._intake is not None
        with contextlib.suppress(StoreError):
            await self._intake.moved(self._bot.id, chat, new_chat)

    async def _introduce(self, intake: Intake) -> None:
        """Learn the username, tell the commands, and set the webhook or poll."""
        pause = 1.0
        while True:
            try:
                me = await self._calls.call("getMe", {})
                self._bot = BotUser(str(me["id"]), str(me["username"]))
                await self._tell_commands(intake)
                await self._set_webhook()
                break
            except DeliveryRefusedError as error:
                logger.error("Telegram refuses this bot: %s", error.reason)
                return
            except (DeliveryError, StoreError) as error:
                logger.warning("Telegram cannot be reached, again in %.0f s: %s", pause, error)
                await asyncio.sleep(getattr(error, "retry_after", None) or pause)
                pause = min(2 * pause, 60.0)
        if not self._secret and not self._public_url:
            await poll(self._calls, self.take)

    async def _set_webhook(self) -> None:
        if self._public_url and self._secret:
            url = self._public_url.rstrip("/") + PATH
            await set_webhook(self._calls, url, self._secret)
        elif not self._secret:
            await self._calls.call("deleteWebhook", {})

    async def _tell_commands(self, intake: Intake) -> None:
        """``setMyCommands``, when they are others than last time."""
        commands = [
            {"command": each.name.replace("-", "_"), "description": each.description[:256]}
            for each in intake.commands
        ]
        digest = hashlib.sha256(json.dumps(commands).encode()).hexdigest()
        if commands and await intake.records.get("commands") != digest:
            await self._calls.call("setMyCommands", {"commands": commands})
            await intake.records.put("commands", digest)


async def set_webhook(calls: Calls, url: str, secret: str) -> None:
    """Have updates sent to ``url``.

    Raises:
        DeliveryError: Telegram did not do it.
    """
    arguments = {"url": url, "secret_token": secret, "allowed_updates": list(UPDATES)}
    await calls.call("setWebhook", arguments)
