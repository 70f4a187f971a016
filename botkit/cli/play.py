"""``botkit play``: talk to a bot on a simulated platform, in the terminal and offline."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from botkit.settings import Settings

if TYPE_CHECKING:
    from botkit.testing.served import ServedBot
    from botkit.testing.slack import SlackSimulator
    from botkit.testing.telegram import TelegramSimulator


@click.command(short_help="Talk to a bot on a simulated Slack or Telegram.")
@click.argument("platform", type=click.Choice(["slack", "telegram"]))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--as", "name", default="Alice", show_default=True, help="Who you are.")
def play(platform: str, file: Path | None, name: str) -> None:
    """Talk to the bot in FILE, or to the model alone, as if on PLATFORM.

    Type /command to send one, [Label] to press a button; Ctrl-D ends.
    """
    asyncio.run(_play(platform, file, name))


class Seat(Protocol):
    """Where the person sits."""

    def say(self, text: str) -> None:
        """Say something, or send a command."""
        ...

    def press(self, label: str) -> bool:
        """Press the newest button of that label; False when there is none."""
        ...

    def seen(self) -> list[tuple[str, str, list[str]]]:
        """Every message of the bot: its id, its text, its buttons."""
        ...


class SlackSeat:
    """In a direct message with the app."""

    def __init__(self, slack: SlackSimulator, name: str) -> None:
        self._person = slack.user(name)

    def say(self, text: str) -> None:
        """Say something, or send a command."""
        command, _, rest = text.partition(" ")
        if text.startswith("/"):
            self._person.command(command, rest)
        else:
            self._person.say(text)

    def press(self, label: str) -> bool:
        """Press the newest button of that label."""
        for posted in reversed(self._person.channel.posted):
            if label in posted.buttons:
                self._person.click(posted, label)
                return True
        return False

    def seen(self) -> list[tuple[str, str, list[str]]]:
        """Every message of the bot."""
        posted = self._person.channel.posted
        return [(each.ts, each.text, list(each.buttons)) for each in posted if each.from_bot]


class TelegramSeat:
    """In a private chat with the bot."""

    def __init__(self, telegram: TelegramSimulator, name: str) -> None:
        self._person = telegram.user(name)

    def say(self, text: str) -> None:
        """Say something, or send a command."""
        self._person.send(text)

    def press(self, label: str) -> bool:
        """Press the newest button of that label."""
        for said in reversed(self._person.chat.messages):
            if label in said.buttons:
                self._person.click(said, label)
                return True
        return False

    def seen(self) -> list[tuple[str, str, list[str]]]:
        """Every message of the bot."""
        messages = self._person.chat.messages
        return [(str(each.id), each.text, list(each.buttons)) for each in messages if each.from_bot]


async def _play(platform: str, file: Path | None, name: str) -> None:
    from botkit.app import Bot
    from botkit.cli.bot_file import load_bot
    from botkit.plugins import load_completion
    from botkit.testing.served import serving
    from botkit.testing.slack import SlackSimulator
    from botkit.testing.telegram import TelegramSimulator

    bot = Bot() if file is None else load_bot(file)
    settings = Settings.load()
    async with AsyncExitStack() as stack:
        slack = telegram = None
        seat: Seat
        if platform == "slack":
            slack = await stack.enter_async_context(SlackSimulator())
            seat = SlackSeat(slack, name)
        else:
            telegram = await stack.enter_async_context(TelegramSimulator())
            seat = TelegramSeat(telegram, name)
        completion = load_completion(settings)
        stack.push_async_callback(completion.aclose)
        click.echo("waking the model ...", err=True)
        serves = serving(bot, slack=slack, telegram=telegram, completion=completion)
        served = await stack.enter_async_context(serves)
        await _talk(seat, served, name)


async def _talk(seat: Seat, served: ServedBot, name: str) -> None:
    shown: set[str] = set()
    while True:
        click.echo(f"{name}: ", nl=False)
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            click.echo()
            return
        text = line.strip()
        if not text:
            continue
        taken = served.metric("botkit_events_accepted_total")
        if text.startswith("[") and text.endswith("]"):
            if not seat.press(text[1:-1]):
                click.echo(f"there is no button {text}")
                continue
        else:
            seat.say(text)
        await served.reached("botkit_events_accepted_total", taken + 1)
        await served.idle()
        for number, reply, buttons in seat.seen():
            if number not in shown:
                shown.add(number)
                labels = "".join(f" [{label}]" for label in buttons)
                click.echo(f"bot: {reply}{labels}")
