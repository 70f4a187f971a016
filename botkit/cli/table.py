"""A person and a bot at one table: a line is said, and what the bot shows is followed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import click

from botkit.adapter import CommandHelp
from botkit.cli.screen import Screen
from botkit.cli.seat import ASIDE, NEW_THREAD, Seat, Shown
from botkit.testing.served import ServedBot

LOOK_SECONDS = 0.03
HEARD_SECONDS = 10.0
"""For which a bot may take no notice of what was said."""


class Table:
    """Joins a seat, the bot and the screen. Its coroutines run in the bot's loop.

    Args:
        seat: Where the person sits.
        served: The bot.
        screen: What the person looks at.
        commands: Those of the bot's handlers.
    """

    def __init__(
        self, seat: Seat, served: ServedBot, screen: Screen, commands: Sequence[CommandHelp]
    ) -> None:
        self.seat = seat
        self._served = served
        self._screen = screen
        self._commands = commands
        self._known: dict[str, Shown] = {}

    async def arrive(self) -> None:
        """Sit down, and see how the bot greets."""
        noticed, accepted = self._noticed(), self._accepted()
        if self.seat.arrive():
            await self._follow(noticed, accepted)

    async def hear(self, line: str) -> None:
        """Say a line, press a button or ask for help, and show what comes of it."""
        if line == "/help" and all(each.name != "help" for each in self._commands):
            note(self.help())
            return
        noticed, accepted = self._noticed(), self._accepted()
        pressed = line.startswith("[") and line.endswith("]")
        unheard = self.seat.press(line[1:-1]) if pressed else self.seat.say(line)
        if unheard:
            note(unheard)
            return
        await self._follow(noticed, accepted)

    def help(self) -> str:
        """What can be typed here."""
        lines = [f"/{each.name:12} {each.description}" for each in self._commands]
        lines += ["[Label]       presses the newest button of that label"]
        if self.seat.shared:
            lines += [f"{ASIDE}TEXT        says it to the others, without mentioning the bot"]
        if self.seat.shared and self.seat.place.startswith("Slack"):
            lines += [f"{NEW_THREAD}TEXT        says it in a new thread"]
        return "\n".join([*lines, "Ctrl-D        ends"])

    async def _follow(self, noticed: float, accepted: float) -> None:
        """Show what the bot writes until it has nothing left to do."""
        try:
            if not await self._heard(noticed):
                note("the bot does not answer; see what it logs")
                return
            await self._until_idle()
        finally:
            found = [message for message in self._new() if not message.growing]
            self._screen.keep(found)
            self._known |= {message.id: message for message in found}
        if self._accepted() == accepted:
            note("the bot takes no notice: it was not addressed")
        elif not found:
            note("no reply")

    async def _heard(self, noticed: float) -> bool:
        """Whether the bot took notice, of what it answers or ignores."""
        deadline = time.monotonic() + HEARD_SECONDS
        while self._noticed() <= noticed:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _until_idle(self) -> None:
        idle = asyncio.create_task(self._served.idle())
        try:
            while not idle.done():
                self._screen.show(self._new(), self.seat.status())
                await asyncio.wait([idle], timeout=LOOK_SECONDS)
        finally:
            idle.cancel()
        await idle

    def _new(self) -> list[Shown]:
        """The messages that are new, or other than they were when the person last spoke."""
        return [each for each in self.seat.shown() if self._known.get(each.id) != each]

    def _accepted(self) -> float:
        return self._served.metric("botkit_events_accepted_total")

    def _noticed(self) -> float:
        return self._accepted() + self._served.metric("botkit_inbound_total")


def note(text: str) -> None:
    """Something that nobody said."""
    click.secho(text, dim=True, err=True)
