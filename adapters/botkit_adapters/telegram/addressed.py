"""What a message says, and whether it says it to the bot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botkit_adapters.telegram.utf16 import utf16_len, utf16_slice

_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(@\w{1,64})?(?=\s|\Z)")


@dataclass(frozen=True)
class Spoken:
    """A message's words.

    Fields:
        text: Without the bot's mention; for a command what follows it.
        command: Its name without slash and bot; empty when it is none.
        to_bot: A mention of the bot, a command for it, or a reply to it.
    """

    text: str
    command: str = ""
    to_bot: bool = False


def spoken(message: Mapping[str, Any], bot_id: str, username: str) -> Spoken:
    """The words of a message, or of a file's caption.

    Entity offsets count UTF-16 units (https://core.telegram.org/bots/api#messageentity).
    """
    text = str(message.get("text") or message.get("caption") or "")
    entities = message.get("entities") or message.get("caption_entities") or ()
    replied = message.get("reply_to_message") or {}
    to_bot = str((replied.get("from") or {}).get("id", "")) == bot_id
    for entity in entities:
        offset, length = int(entity["offset"]), int(entity["length"])
        part = utf16_slice(text, offset, length)
        if entity["type"] == "bot_command" and offset == 0:
            return _command(text, part, username, to_bot)
        if _mentions(entity, part, bot_id, username):
            rest = utf16_slice(text, offset + length, utf16_len(text))
            return Spoken(_joined(utf16_slice(text, 0, offset), rest), to_bot=True)
    found = _COMMAND.match(text)
    if found and not entities:  # clients of other makes forget the entity
        return _command(text, found[0], username, to_bot)
    return Spoken(text.strip(), to_bot=to_bot)


def _command(text: str, part: str, username: str, to_bot: bool) -> Spoken:
    name, _, addressee = part[1:].partition("@")
    if addressee and username and addressee.lower() != username.lower():
        return Spoken(text.strip(), to_bot=False)
    return Spoken(text[len(part) :].strip(), command=name.lower(), to_bot=True)


def _mentions(entity: Mapping[str, Any], part: str, bot_id: str, username: str) -> bool:
    if entity["type"] == "text_mention":
        return str(entity.get("user", {}).get("id")) == bot_id
    return bool(username) and entity["type"] == "mention" and part[1:].lower() == username.lower()


def _joined(before: str, after: str) -> str:
    """The text without the mention, and without the comma that a leading one leaves."""
    before, after = before.rstrip(), after.strip()
    if not before:
        return after.lstrip(",:;").strip()
    return f"{before} {after}".strip() if after[:1] not in (",", ".", "?", "!") else before + after
