"""Where a person sits who talks to a bot on a simulated platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

ASIDE = "~ "
"""Begins what is said to the others in a group, without a mention of the bot."""

NEW_THREAD = "+ "
"""Begins what is said in a new thread of a channel."""


@dataclass(frozen=True)
class Shown:
    """One message of the bot as the person sees it now.

    Fields:
        id: Its number on the platform.
        text: What it says.
        buttons: Their labels.
        files: The names of what it brings.
        marks: What else the person is told: who sees it, where it is.
        growing: It is still being written, and may vanish.
    """

    id: str
    text: str
    buttons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    growing: bool = False


class Seat(Protocol):
    """A place on a platform: what can be done there, and what is seen."""

    place: str
    """In words, as ``in a direct message``."""

    shared: bool
    """Others are there: the bot answers when it is mentioned."""

    def arrive(self) -> bool:
        """Sit down; whether the bot hears of that."""
        ...

    def say(self, text: str) -> str:
        """Say something, or send a command; a note when the bot does not hear it."""
        ...

    def press(self, label: str) -> str:
        """Press the newest button of that label; a note when the bot does not hear of it."""
        ...

    def shown(self) -> list[Shown]:
        """Every message of the bot, the oldest first."""
        ...

    def status(self) -> str:
        """What the platform says that the bot is doing; empty when it says nothing."""
        ...


def no_button(label: str) -> str:
    """The note about a button that is not there."""
    return f"there is no button [{label}]"


def opens(label: str, url: str) -> str:
    """The note about a button that is a link."""
    return f"[{label}] opens {url}"
