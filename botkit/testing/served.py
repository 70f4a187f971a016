"""A whole bot over loopback, as ``botkit serve`` serves it, on simulated platforms."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit.app import BotApplication
from botkit.bot import Bot
from botkit.completion import ChatCompletionRequest, Completion
from botkit.completion.messages import message_text
from botkit.completion.script import ReplyFunction
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest
from botkit.plugins import load_adapters
from botkit.server import create_app
from botkit.server.listen import listening
from botkit.settings import Settings
from botkit.testing.slack import SlackSimulator
from botkit.testing.telegram import TelegramSimulator

SECRET = "simulated-webhook-secret"
SECRET_KEY = "a-key-of-nothing-but-simulated-secrets"
IDLE_SECONDS = 0.02

WORLD = (
    *("slack_", "telegram_", "public_url", "database_url", "trigger", "turns_url", "secret_key"),
    *("traces_", "otlp_", "web_", "api_keys"),
)
"""Fields of the settings that lead out of a simulation: to real platforms, to what is kept on this
machine, to who collects traces. Whoever runs tests may have their variables set."""


@dataclass
class ServedBot:
    """A running bot, and where it listens."""

    application: BotApplication
    completion: Completion
    address: str

    async def idle(self, within: float = 300.0) -> None:
        """Return when nothing is queued, unsent or under way.

        Raises:
            TimeoutError: Not within so many seconds.
        """
        async with asyncio.timeout(within):
            while True:
                stats = await self.application.store.stats()
                busy = self.metric("botkit_conversations_running")
                if not (stats.queued or stats.unsent or busy):
                    return
                await asyncio.sleep(IDLE_SECONDS)

    async def reached(self, start: str, value: float, within: float = 30.0) -> None:
        """Return when the metrics that begin with ``start`` sum up to ``value``.

        Raises:
            TimeoutError: Not within so many seconds.
        """
        async with asyncio.timeout(within):
            while self.metric(start) < value:  # noqa: ASYNC110 - counters signal nobody
                await asyncio.sleep(IDLE_SECONDS)

    def metric(self, start: str) -> float:
        """The sum of the metrics whose line begins with ``start``."""
        lines = self.application.metrics.text().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))


@contextlib.asynccontextmanager
async def serving(
    bot: Bot | None = None,
    *,
    slack: SlackSimulator | None = None,
    telegram: TelegramSimulator | None = None,
    socket_mode: bool = False,
    polling: bool = False,
    installs: bool = False,
    web: bool = False,
    completion: Completion | None = None,
    replies: list[str] | ReplyFunction | None = None,
    home: Path | None = None,
    **settings: Any,
) -> AsyncIterator[ServedBot]:
    """Run ``bot`` on simulated platforms while the block runs.

    Args:
        bot: None answers everything through the completion.
        slack, telegram: Open simulators; the bot is connected to those that are given.
        socket_mode: Slack's events come over a socket, not over HTTP.
        polling: Telegram is polled, without a webhook.
        installs: Slack's workspaces add the app at ``/slack/install``; without, it has a bot token.
        web: The widget is served, for pages of this machine unless ``web_origins`` are among the
            settings.
        completion: Who answers; None is a scripted one.
        replies: What the scripted one says; by default how many messages it was shown, and the
            last one's text.
        home: Where the database is; None takes a folder that is deleted afterwards.
        settings: Further settings, by field name; ``limit_user`` is off unless it is among them.
    """
    with tempfile.TemporaryDirectory() if home is None else contextlib.nullcontext(home) as folder:
        loaded = Settings.load(
            ignore=WORLD,
            home=Path(folder),
            **{
                "completion": "echo",
                "port": 0,
                "limit_user": "off",  # one simulated person is often many
                "web_origins": () if web else ("none",),
                **_slack_settings(slack, socket_mode, installs),
                **_telegram_settings(telegram, polling),
                **settings,
            },
        )
        model = completion or ScriptedCompletion(replies or last_message)
        application = (bot or Bot()).application(loaded, model, load_adapters(loaded))
        await model.start()
        await application.open()
        try:
            app = create_app(model, open_routes=application.open_routes, routes=application.routes)
            async with listening(app, port=loaded.port, companion=application) as address:
                await application.start()
                application.ready()
                await _connect(slack, telegram, address, socket_mode, polling, installs)
                yield ServedBot(application, model, address)
        finally:
            await application.aclose()


def last_message(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    """How many messages the model was shown, and what the last one says."""
    messages = getattr(request, "messages", [])
    return f"{len(messages)}: {message_text(messages[-1])}"


def _slack_settings(
    slack: SlackSimulator | None, socket_mode: bool, installs: bool
) -> dict[str, Any]:
    if slack is None:
        return {}
    proof = (
        {"slack_app_token": slack.app_token}
        if socket_mode
        else {"slack_signing_secret": slack.signing_secret}
    )
    tokens = (
        {
            "slack_client_id": slack.oauth.client_id,
            "slack_client_secret": slack.oauth.client_secret,
            "secret_key": SECRET_KEY,
        }
        if installs
        else {"slack_bot_token": slack.bot_token}
    )
    return {**tokens, "slack_api_base_url": slack.api_base_url, **proof}


def _telegram_settings(telegram: TelegramSimulator | None, polling: bool) -> dict[str, Any]:
    if telegram is None:
        return {}
    return {
        "telegram_bot_token": telegram.bot_token,
        "telegram_api_base_url": telegram.api_base_url,
        **({} if polling else {"telegram_webhook_secret": SECRET}),
    }


async def _connect(
    slack: SlackSimulator | None,
    telegram: TelegramSimulator | None,
    address: str,
    socket_mode: bool,
    polling: bool,
    installs: bool,
) -> None:
    """Tell the platforms where the bot is, and wait until it knows who it is."""
    if slack is not None:
        slack.deliveries.url = "" if socket_mode else f"{address}/slack/events"
        slack.oauth.redirect_url = f"{address}/slack/oauth_redirect"
        if not installs:
            await slack.called("auth.test")
    if telegram is not None:
        if not polling:
            telegram.set_webhook(f"{address}/telegram/webhook", SECRET)
        await telegram.called("getMe")
