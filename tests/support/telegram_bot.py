"""A whole bot on a simulated Telegram, over loopback."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit.app import Bot, BotApplication
from botkit.completion.scripted import ScriptedCompletion
from botkit.plugins import load_adapters
from botkit.server import create_app
from botkit.server.listen import listening
from botkit.settings import Settings
from botkit.testing.telegram import TelegramSimulator

SECRET = "sesame-42"


@dataclass
class Running:
    telegram: TelegramSimulator
    application: BotApplication
    address: str

    def metric(self, start: str) -> float:
        lines = self.application.metrics.text().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))


@contextlib.asynccontextmanager
async def bot_on_telegram(
    home: Path,
    bot: Bot | None = None,
    *,
    replies: Any = None,
    webhook: bool = True,
    telegram: TelegramSimulator | None = None,
    **settings: Any,
) -> AsyncIterator[Running]:
    """The bot, served with its webhook set, or polling."""
    async with contextlib.AsyncExitStack() as stack:
        telegram = telegram or await stack.enter_async_context(TelegramSimulator(time_scale=0.01))
        loaded = Settings.load(
            home=home,
            completion="echo",
            telegram_bot_token=telegram.bot_token,
            telegram_api_base_url=telegram.api_base_url,
            telegram_webhook_secret=SECRET if webhook else None,
            **settings,
        )
        completion = ScriptedCompletion(replies or (lambda request: _echo(request)))
        application = (bot or Bot()).application(loaded, completion, load_adapters(loaded))
        await completion.start()
        await application.open()
        stack.push_async_callback(application.aclose)
        app = create_app(completion, open_routes=application.open_routes, routes=application.routes)
        address = await stack.enter_async_context(
            listening(app, drain_seconds=8, companion=application)
        )
        await application.start()
        application.ready()
        if webhook:
            telegram.set_webhook(f"{address}/telegram/webhook", SECRET)
            await telegram.called("getMe")
        yield Running(telegram, application, address)


def _echo(request: Any) -> str:
    return f"{len(request.messages)}: {request.messages[-1].content}"
