"""Telegram. Importing this brings neither python-telegram-bot nor the Markdown converter: a cold
process must acknowledge its first update at once."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

from botkit.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from botkit.settings import Settings
    from botkit_adapters.telegram.adapter import TelegramAdapter

__all__ = ["telegram_adapter"]


def telegram_adapter(settings: Settings) -> TelegramAdapter | None:
    """The adapter, or None where TELEGRAM_BOT_TOKEN is not set.

    Raises:
        SettingsError: A variable cannot be, or the webhook lacks its secret.
        MissingExtraError: The extra ``telegram`` is not installed.
    """
    if settings.telegram_bot_token is None:
        return None
    for package in ("telegram", "telegramify_markdown"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "telegram")
    from botkit_adapters.telegram.adapter import TelegramAdapter

    token = settings.telegram_bot_token.get_secret_value()
    if not re.fullmatch(r"\d+:[\w-]+", token):
        raise SettingsError("TELEGRAM_BOT_TOKEN: a token looks like 123456:ABC-DEF...")
    held = settings.telegram_webhook_secret
    secret = "" if held is None else held.get_secret_value()
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise SettingsError("TELEGRAM_WEBHOOK_SECRET may hold 1 to 256 of A-Z, a-z, 0-9, _ and -")
    if settings.public_url and not secret:
        raise SettingsError(
            "BOTKIT_PUBLIC_URL is set: set TELEGRAM_WEBHOOK_SECRET too, so that nobody else can "
            "send updates"
        )
    return TelegramAdapter(token, secret, settings.telegram_api_base_url, settings.public_url)
