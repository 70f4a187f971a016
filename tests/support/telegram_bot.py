"""A whole bot on a simulated Telegram."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import telegram_contract

from botkit.app import BotApplication
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.testing.served import SECRET, ServedBot, serving
from botkit.testing.telegram import TelegramSimulator

__all__ = ["SECRET", "TelegramBot", "bot_on_telegram"]


@dataclass
class TelegramBot(ServedBot):
    application: BotApplication
    completion: ScriptedCompletion
    telegram: TelegramSimulator


@contextlib.asynccontextmanager
async def bot_on_telegram(
    home: Path, bot: Bot | None = None, *, webhook: bool = True, **settings: Any
) -> AsyncIterator[TelegramBot]:
    """The bot, with its webhook set, or polling. When the block is left without an error, all that
    went over the line is held against Telegram's description of it."""
    async with TelegramSimulator(time_scale=0.01) as telegram:
        # What these bots say is made up, and very long for going round in circles.
        chosen: dict[str, Any] = {"quality_attempts": 0, "reply_tokens": 1 << 20, **settings}
        async with serving(
            bot, telegram=telegram, polling=not webhook, home=home, **chosen
        ) as served:
            assert isinstance(served.completion, ScriptedCompletion)
            yield TelegramBot(served.application, served.completion, served.address, telegram)
        telegram_contract.check_simulator(telegram)
