"""``botkit telegram set-webhook|info|delete``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import click

from botkit.errors import SettingsError
from botkit.settings import Settings
from botkit_adapters.telegram.adapter import set_webhook
from botkit_adapters.telegram.calls import Calls
from botkit_adapters.telegram.webhook import PATH


@click.group(short_help="Set a Telegram bot's webhook up.")
def telegram() -> None:
    """Telegram, for the bot of TELEGRAM_BOT_TOKEN."""


@telegram.command("set-webhook")
@click.argument("url")
def set_(url: str) -> None:
    """Have messages sent to this server at URL, as https://bot.example.com."""
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
    if settings.telegram_bot_token is None:
        raise SettingsError("set TELEGRAM_BOT_TOKEN: @BotFather gives it")
    token = settings.telegram_bot_token.get_secret_value()

    async def run() -> Any:
        calls = Calls(token, settings.telegram_api_base_url)
        try:
            return await use(calls)
        finally:
            await calls.aclose()

    return asyncio.run(run())
