"""Calls of the Bot API, and what their errors mean for a delivery."""

from __future__ import annotations

import base64
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUncertainError,
    SettingsError,
)

if TYPE_CHECKING:
    from telegram import Bot

logger = logging.getLogger(__name__)

API = "https://api.telegram.org/bot"

_QUOTED = re.compile(r"""(?<!\w)["'].*["'](?!\w)""", re.DOTALL)


class ChatMovedError(DeliveryError):
    """The group goes on as a supergroup under another id."""

    def __init__(self, chat: int) -> None:
        super().__init__("group chat was upgraded to a supergroup chat")
        self.chat = chat


class Calls:
    """The Bot API for one token. python-telegram-bot is imported at the first call."""

    def __init__(self, token: str, base_url: str | None) -> None:
        self._token = token
        self._base_url = base_url or API
        self._bot: Bot | None = None

    async def bot(self) -> Bot:
        """The library's own bot, for what has no method here."""
        if self._bot is None:
            self._bot = _make_bot(self._token, self._base_url)
        return self._bot

    async def aclose(self) -> None:
        """Close the connections."""
        if self._bot is not None:
            await self._bot.request.shutdown()
            await self._bot._request[0].shutdown()

    async def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        *,
        files: Mapping[str, Any] | None = None,
        read_timeout: float | None = None,
    ) -> Any:
        """The result of ``method``.

        Raises:
            ChatMovedError: The chat has another id now.
            DeliveryDelayedError: Not done: too many requests, or no connection.
            DeliveryUncertainError: Done or not.
            DeliveryRefusedError: Not done, with Telegram's own words.
        """
        from telegram.error import TelegramError

        bot = await self.bot()
        fields = {**arguments, **_input_files(files or {})}
        try:
            return await bot.do_api_request(
                method,
                api_kwargs={name: value for name, value in fields.items() if value is not None},
                read_timeout=read_timeout,
            )
        except TelegramError as error:
            raise translate(error) from None

    async def download(self, file_id: str, limit: int) -> bytes:
        """The bytes of a file of at most ``limit`` bytes.

        Raises:
            DeliveryError: As :meth:`call`; or it is too large.
        """
        found = await self.call("getFile", {"file_id": file_id})
        path, size = found["file_path"], found.get("file_size") or 0
        if size > limit:
            raise DeliveryRefusedError("the file is too big")
        base = self._base_url.removesuffix("/bot") + "/file/bot"
        url = path if path.startswith("http") else f"{base}{self._token}/{path}"
        from telegram.error import TelegramError

        try:
            return await (await self.bot()).request.retrieve(url)
        except TelegramError as error:
            raise translate(error) from None


def _make_bot(token: str, base_url: str) -> Bot:
    from telegram import Bot
    from telegram.error import InvalidToken
    from telegram.warnings import PTBDeprecationWarning, PTBUserWarning

    from botkit_adapters.telegram.request import AiohttpRequest

    # Its typed methods build objects of answers that nobody looks at.
    warnings.filterwarnings("ignore", "Please use 'Bot", PTBUserWarning)
    # A pause is read as seconds and as a timedelta alike.
    warnings.filterwarnings("ignore", ".*`retry_after`", PTBDeprecationWarning)
    try:
        return Bot(
            token, base_url=base_url, request=AiohttpRequest(), get_updates_request=AiohttpRequest()
        )
    except InvalidToken:
        raise SettingsError("TELEGRAM_BOT_TOKEN is not a token of @BotFather's") from None


def _input_files(files: Mapping[str, Any]) -> dict[str, Any]:
    if not files:
        return {}
    from telegram import InputFile

    return {files["field"]: InputFile(base64.b64decode(files["data"]), filename=files["name"])}


def translate(error: Exception) -> DeliveryError:
    """A library's error as one of ours."""
    from telegram.error import (
        BadRequest,
        ChatMigrated,
        Forbidden,
        InvalidToken,
        NetworkError,
        RetryAfter,
    )

    from botkit_adapters.telegram.request import NotConnectedError

    makers: list[tuple[type[Exception], Callable[[Any], DeliveryError]]] = [
        (RetryAfter, lambda e: DeliveryDelayedError("too many requests", _seconds(e.retry_after))),
        (ChatMigrated, lambda e: ChatMovedError(e.new_chat_id)),
        (NotConnectedError, lambda e: DeliveryDelayedError("no connection")),
        (BadRequest, lambda e: DeliveryRefusedError(_unquoted(e.message))),
        (Forbidden, lambda e: DeliveryRefusedError(_unquoted(e.message))),
        (InvalidToken, lambda e: DeliveryRefusedError("the bot token is refused")),
        (NetworkError, lambda e: DeliveryUncertainError(type(e).__name__)),
    ]
    for kind, make in makers:
        if isinstance(error, kind):
            return make(error)
    return DeliveryRefusedError(type(error).__name__)


def _unquoted(message: str) -> str:
    """Telegram's words without what they quote of a message, as of a tag that it does not know."""
    return _QUOTED.sub('"…"', message)


def _seconds(value: Any) -> float:
    return float(value.total_seconds() if hasattr(value, "total_seconds") else value)
