"""``botkit play``: talk to a bot on a simulated platform, in the terminal and offline."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.settings import Settings

if TYPE_CHECKING:
    from botkit.bot import Bot
    from botkit.cli.table import Table

PLACES = {"slack": ("dm", "channel", "assistant"), "telegram": ("private", "group")}
ATTEMPTS = 2
"""Of a turn: a handler that fails shows where at once, and the apology soon after."""


@dataclass(frozen=True)
class Played:
    """What was asked for.

    Fields:
        platform: ``slack`` or ``telegram``.
        where: One of its :data:`PLACES`.
        name: The person's.
        socket_mode, polling: The other way for events.
    """

    platform: str
    where: str
    name: str
    socket_mode: bool
    polling: bool


@click.command(short_help="Talk to a bot on a simulated Slack or Telegram.")
@click.argument("platform", type=click.Choice(sorted(PLACES)))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--in",
    "where",
    type=click.Choice([place for places in PLACES.values() for place in places]),
    help="Where you write: slack dm (default), channel or assistant; telegram private (default) "
    "or group.",
)
@click.option("--socket-mode", is_flag=True, help="slack: events come over a socket, not HTTP.")
@click.option("--polling", is_flag=True, help="telegram: the bot polls, without a webhook.")
@click.option("--as", "name", default="Alice", show_default=True, help="Who you are.")
def play(
    platform: str, file: Path | None, where: str | None, socket_mode: bool, polling: bool, name: str
) -> None:
    """Talk to the bot in FILE, or to the model alone, as if on PLATFORM.

    No platform is called, and nothing is kept. /name sends a command, [Label] presses a
    button, /help lists both; Ctrl-D ends. What you see grows as it would there.

    In a group or a channel every line mentions the bot for you; "~ TEXT" says TEXT without a
    mention, and "+ TEXT" opens a new thread of the channel.
    """
    from botkit.bot import Bot
    from botkit.cli.background import background
    from botkit.cli.blame import BlamingHandler
    from botkit.cli.bot_file import load_bot
    from botkit.cli.lines import lines
    from botkit.cli.table import note

    place = _place(platform, where, socket_mode=socket_mode, polling=polling)
    if not name.strip():
        raise click.UsageError("--as: a person has a name")
    played = Played(platform, place, name.strip(), socket_mode, polling)
    bot = Bot() if file is None else load_bot(file)
    logging.basicConfig(level=logging.WARNING, handlers=[BlamingHandler()])
    note("waking the model ...")
    with background(_opened(bot, played)) as (table, run):
        note(f"{table.seat.place}. /help tells what can be typed; Ctrl-D ends.")
        run(table.arrive())
        for line in lines(f"{played.name}: "):
            run(table.hear(line))


def _place(platform: str, where: str | None, *, socket_mode: bool, polling: bool) -> str:
    """Where the person sits.

    Raises:
        click.UsageError: The options are not of this platform.
    """
    places = PLACES[platform]
    if where is not None and where not in places:
        raise click.UsageError(f"--in {where}: on {platform} there are {', '.join(places)}")
    for option, given, of in (
        ("socket-mode", socket_mode, "slack"),
        ("polling", polling, "telegram"),
    ):
        if given and platform != of:
            raise click.UsageError(f"--{option} is for {of}")
    return where or places[0]


@asynccontextmanager
async def _opened(bot: Bot, played: Played) -> AsyncIterator[Table]:
    """The simulated platform and the bot on it."""
    from botkit.cli.screen import screen
    from botkit.cli.seat import Seat
    from botkit.cli.slack_seat import SlackSeat
    from botkit.cli.table import Table
    from botkit.cli.telegram_seat import TelegramSeat
    from botkit.plugins import load_completion
    from botkit.testing.served import serving
    from botkit.testing.slack import SlackSimulator
    from botkit.testing.telegram import TelegramSimulator

    completion = load_completion(Settings.load())
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.push_async_callback(completion.aclose)
        slack = telegram = None
        seat: Seat
        if played.platform == "slack":
            slack = await stack.enter_async_context(SlackSimulator())
            seat = SlackSeat(slack, played.name, played.where)
        else:
            telegram = await stack.enter_async_context(TelegramSimulator())
            seat = TelegramSeat(telegram, played.name, played.where)
        served = await stack.enter_async_context(
            serving(
                bot,
                slack=slack,
                telegram=telegram,
                socket_mode=played.socket_mode,
                polling=played.polling,
                completion=completion,
                home=Path(folder),
                turn_attempts=ATTEMPTS,
            )
        )
        # Who leaves in the middle of a reply does not wait for its end.
        stack.push_async_callback(served.application.drain, 0.0)
        yield Table(seat, served, screen(), bot.commands)
