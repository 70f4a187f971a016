"""A seat on the simulated Telegram: a private chat or a group."""

from __future__ import annotations

from typing import Any

from botkit.cli.seat import ASIDE, Shown, no_button, opens
from botkit.testing.telegram import Chat, Said, TelegramSimulator

PLACES = {"private": "in a private chat", "group": "in the group Friends"}
FILES = ("document", "voice", "audio")


class TelegramSeat:
    """One person's seat.

    Args:
        telegram: The platform.
        name: The person's.
        where: One of :data:`PLACES`.
    """

    def __init__(self, telegram: TelegramSimulator, name: str, where: str) -> None:
        self.place = f"Telegram, {PLACES[where]}"
        self.shared = where == "group"
        self._telegram = telegram
        self._person = telegram.user(name)
        self._chat: Chat = telegram.group("Friends") if self.shared else self._person.chat
        self._mention = f"@{telegram.state.bot.username}"
        self._calls = 0
        self._drafts = 0
        self._draft: Shown | None = None
        self._messages = 0

    def arrive(self) -> bool:
        """Nobody hears of an arrival."""
        return False

    def say(self, text: str) -> str:
        """Say something, or send a command; unheard when privacy mode hides it from the bot."""
        self._calls = len(self._telegram.calls)
        words = text.removeprefix(ASIDE).strip() if self.shared else text
        named = words.startswith("/") or self._mention.lower() in words.lower()
        if self.shared and not named:
            if words == text:
                words, named = f"{self._mention} {text}", True
            else:
                words = words or text
        self._person.send(words, chat=self._chat)
        if self.shared and not named:
            return "the bot does not see this: in a group it sees mentions, replies and commands"
        return ""

    def press(self, label: str) -> str:
        """Press the newest button of that label."""
        self._calls = len(self._telegram.calls)
        for said in reversed(self._chat.messages):
            if said.from_bot and label in said.buttons:
                url = said.buttons[label].get("url")
                if url:
                    return opens(label, url)
                self._person.click(said, label)
                return ""
        return no_button(label)

    def shown(self) -> list[Shown]:
        """Every message of the bot, and the draft of one."""
        messages = [self._show(said) for said in self._chat.messages if said.from_bot]
        if len(self._chat.drafts) > self._drafts:
            self._drafts = len(self._chat.drafts)
            self._draft = Shown("draft", self._chat.drafts[-1], growing=True)
            self._messages = len(messages)
        elif len(messages) > self._messages:  # the message has taken its place
            self._draft = None
        return [*messages, *([self._draft] if self._draft else [])]

    def status(self) -> str:
        """Whether the bot is typing."""
        calls = self._telegram.calls[self._calls :]
        return "is typing ..." if any(call.method == "sendChatAction" for call in calls) else ""

    def _show(self, said: Said) -> Shown:
        return Shown(str(said.id), said.text, tuple(said.buttons), self._files(said.data))

    def _files(self, message: dict[str, Any]) -> tuple[str, ...]:
        held = [message[name] for name in FILES if name in message] + message.get("photo", [])[-1:]
        return tuple(self._telegram.state.files[each["file_id"]][0] for each in held)
