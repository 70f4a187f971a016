"""What a person sees of a bot's messages: on a terminal while they are written, else at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import click

from botkit.cli.seat import Shown
from botkit.cli.talk import printable

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

CURSOR = "▌"
NAME = "bot"


class Screen(Protocol):
    """Shows the messages that answer one line."""

    def show(self, messages: Sequence[Shown], status: str) -> None:
        """This is how they are now; they may still change."""
        ...

    def keep(self, messages: Sequence[Shown]) -> None:
        """This is how they stay."""
        ...


def screen() -> Screen:
    """The one for standard output."""
    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return LiveScreen() if live else PlainScreen()


class PlainScreen:
    """Finished messages only."""

    def show(self, messages: Sequence[Shown], status: str) -> None:
        """What may still change is not shown."""

    def keep(self, messages: Sequence[Shown]) -> None:
        """Print them."""
        for message in messages:
            click.echo(written(message))


class LiveScreen:
    """Messages are drawn anew whenever they change; of long ones the end is seen."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._drawn: tuple[list[Shown], str] = ([], "")

    def show(self, messages: Sequence[Shown], status: str) -> None:
        """Draw them."""
        drawn = (list(messages), status)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if self._live is None:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._tail(messages, status), refresh=True)

    def keep(self, messages: Sequence[Shown]) -> None:
        """Draw them for the last time, whole."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._drawn = ([], "")
        for message in messages:
            self._console.print(written(message))

    def _tail(self, messages: Sequence[Shown], status: str) -> Text:
        """As much of the end as the terminal has room for."""
        from rich.text import Text

        parts = [written(message) + (CURSOR if message.growing else "") for message in messages]
        if status and not any(message.growing for message in messages):
            parts.append(f"{NAME} {printable(status)}")
        lines = Text("\n".join(parts)).wrap(self._console, self._console.width)
        return Text("\n").join(lines[-max(1, self._console.height - 2) :])


def written(message: Shown) -> str:
    """A message as text: who (and who sees it), what it says, its files, its buttons."""
    marks = f" ({', '.join(message.marks)})" if message.marks else ""
    files = [f"<{name or 'a file'}>" for name in message.files]
    buttons = [f"[{label}]" for label in message.buttons]
    beside = " ".join([*files, *buttons])
    gap = "\n" if "\n" in message.text and beside else " " if message.text and beside else ""
    return printable(f"{NAME}{marks}: {message.text}{gap}{beside}")
