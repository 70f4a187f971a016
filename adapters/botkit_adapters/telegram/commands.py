"""``botkit telegram set-webhook|info|delete``."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import click

from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    SettingsError,
)
from botkit.settings import Settings
from botkit_adapters.telegram.calls import API, Calls


@click.group(short_help="Set a Telegram bot's webhook up.")
def telegram() -> None:
    """Telegram, for the bot of TELEGRAM_BOT_TOKEN."""


@telegram.command("set-webhook")
@click.argument("url")
def set_(url: str) -> None:
    """Have messages sent to this server at URL, as https://bot.example.com."""
    # Here, for the adapter brings a web server that `botkit --help` has no use for.
    from botkit_adapters.telegram.adapter import set_webhook
    from botkit_adapters.telegram.webhook import PATH

    settings = Settings.load()
    if settings.telegram_webhook_secret is None:
        raise SettingsError("set TELEGRAM_WEBHOOK_SECRET, here and where the bot runs")
    secret = settings.telegram_webhook_secret.get_secret_value()
    whole = url if url.endswith(PATH) else url.rstrip("/") + PATH
    _with_calls(settings, lambda calls: set_webhook(calls, whole, secret))
    click.echo(f"Telegram sends to {whole}")


@telegram.command()
def info() -> None:
    """Where Telegram sends messages, and how that went."""
    found = _with_calls(Settings.load(), lambda calls: calls.call("getWebhookInfo", {}))
    click.echo(json.dumps(found, indent=2))


@telegram.command()
def delete() -> None:
    """Stop sending; `botkit serve` polls then."""
    _with_calls(Settings.load(), lambda calls: calls.call("deleteWebhook", {}))
    click.echo("the webhook is deleted")


def _with_calls(settings: Settings, use: Callable[[Calls], Awaitable[Any]]) -> Any:
    """What ``use`` returns.

    Raises:
        SettingsError: There is no token, or it cannot be one.
        DeliveryError: Telegram did not do it; the message is for a person.
    """
    if settings.telegram_bot_token is None:
        raise SettingsError("set TELEGRAM_BOT_TOKEN: @BotFather gives it")
    token = settings.telegram_bot_token.get_secret_value()
    if not re.fullmatch(r"\d+:[\w-]+", token):
        raise SettingsError("TELEGRAM_BOT_TOKEN: a token looks like 123456:ABC-DEF...")
    # The library logs the body of an answer that is none; the error says enough.
    logging.getLogger("telegram").setLevel(logging.CRITICAL)

    async def run() -> Any:
        calls = Calls(token, settings.telegram_api_base_url)
        try:
            return await use(calls)
        finally:
            await calls.aclose()

    try:
        return asyncio.run(run())
    except DeliveryError as error:
        raise DeliveryError(_said(error, settings.telegram_api_base_url or API)) from None


def _said(error: DeliveryError, api: str) -> str:
    """What went wrong, and what to do about it."""
    if isinstance(error, DeliveryRefusedError):
        mend = (
            "; @BotFather shows it: TELEGRAM_BOT_TOKEN" if "token is refused" in str(error) else ""
        )
        return f"Telegram refuses: {error.reason}{mend}"
    if isinstance(error, DeliveryDelayedError) and error.retry_after:
        return f"Telegram is busy: {error.reason}; try again in {error.retry_after:.0f} s"
    where = urlsplit(api).netloc.rpartition("@")[2]
    return f"{where} does not answer: {error.reason}; try again, or see TELEGRAM_API_BASE_URL"
