"""A whole bot on a simulated Slack."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slack_contract

from botkit.app import BotApplication
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.testing.served import ServedBot, serving
from botkit.testing.slack import SlackSimulator


@dataclass
class SlackBot(ServedBot):
    application: BotApplication
    completion: ScriptedCompletion
    slack: SlackSimulator


@contextlib.asynccontextmanager
async def bot_on_slack(
    home: Path, bot: Bot | None = None, *, socket: bool = False, **settings: Any
) -> AsyncIterator[SlackBot]:
    """The bot, with events over HTTP or through Socket Mode. When the block is left without an
    error, all that went over the line is held against Slack's descriptions of it."""
    async with SlackSimulator(time_scale=0.001) as slack:
        # What these bots say is made up, and very long for going round in circles.
        chosen: dict[str, Any] = {"quality_attempts": 0, "reply_tokens": 1 << 20, **settings}
        async with serving(bot, slack=slack, socket_mode=socket, home=home, **chosen) as served:
            assert isinstance(served.completion, ScriptedCompletion)
            yield SlackBot(served.application, served.completion, served.address, slack)
        slack_contract.check_simulator(slack)
