"""What flows out: a reply, with what a platform may show beside its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import Base64Bytes, TypeAdapter


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a reply.

    Fields:
        label: What it says; platforms show about 75 characters.
        id: The action's id, as ``@bot.action`` names it; a button with a ``url`` needs none.
        value: What the action gets; Telegram has room for about 60 bytes of id and value.
        url: Opens this instead of sending an action.
        style: ``primary`` or ``danger`` where the platform has colours.
    """

    label: str
    id: str = ""
    value: str = ""
    url: str = ""
    style: Literal["", "primary", "danger"] = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a reply brings along.

    Fields:
        name: The file's name.
        data: Its bytes.
        media_type: As ``image/png``; images and audio are shown as such.
    """

    name: str
    data: Base64Bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; each platform shows it at its best.

    Fields:
        text: Markdown, of any length; adapters split it where they must.
        buttons: Shown under the text.
        files: Sent along, after the text.
        suggestions: Things the person may want to say next.
        ephemeral: Only the person who asked sees it, where the platform can; elsewhere as usual.
        feedback: Ask whether it was helpful, where the platform has buttons for that.
        title: What the conversation is about, for platforms that list conversations.
    """

    text: str = ""
    buttons: tuple[Button, ...] = ()
    files: tuple[File, ...] = ()
    suggestions: tuple[str, ...] = ()
    ephemeral: bool = False
    feedback: bool = False
    title: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text.strip() or self.files or self.buttons or self.suggestions)


@cache
def _reply_adapter() -> TypeAdapter[Reply]:
    return TypeAdapter(Reply)


def reply_to_json(reply: Reply) -> str:
    """The reply as JSON text; bytes as base64."""
    return _reply_adapter().dump_json(reply).decode()


def reply_from_json(text: str | bytes) -> Reply:
    """The reply that :func:`reply_to_json` wrote.

    Raises:
        ValueError: The text is something else.
    """
    return _reply_adapter().validate_json(text)
