"""A seat on the simulated Slack: a direct message, the assistant's pane, a channel's thread."""

from __future__ import annotations

import html

from botkit.cli.seat import ASIDE, NEW_THREAD, Shown, no_button, opens
from botkit.testing.slack import Channel, Posted, SlackSimulator

MENTION = "@bot"
"""What a person types for the bot's mention."""

PLACES = {
    "dm": "in a direct message",
    "assistant": "in the assistant's pane",
    "channel": "in #general",
}


class SlackSeat:
    """One person's seat. In a channel the first line opens a thread and the others follow in it.

    Args:
        slack: The workspace.
        name: The person's.
        where: One of :data:`PLACES`.
    """

    def __init__(self, slack: SlackSimulator, name: str, where: str) -> None:
        self.place = f"Slack, {PLACES[where]}"
        self.shared = where == "channel"
        self._assistant = where == "assistant"
        self._slack = slack
        self._person = slack.user(name)
        self._channel: Channel = slack.channel("general") if self.shared else self._person.channel
        self._thread = ""

    def arrive(self) -> bool:
        """Open the assistant's pane; elsewhere nobody hears of an arrival."""
        if self._assistant:
            self._thread = self._person.open_assistant()
        return self._assistant

    def say(self, text: str) -> str:
        """Say something, or send a command."""
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            self._person.command(command, html.escape(rest, quote=False), channel=self._channel)
            return ""
        if self.shared:
            return self._say_in_channel(text)
        self._person.say(html.escape(text, quote=False), thread=self._thread)
        return ""

    def press(self, label: str) -> str:
        """Press the newest button of that label, or choose a suggestion of the assistant's."""
        for posted in reversed(self._seen()):
            if label in posted.buttons:
                url = posted.buttons[label].get("url")
                if url:
                    return opens(label, url)
                self._person.click(posted, label)
                return ""
        for prompt in self._slack.state.prompts:
            if prompt["title"] == label:
                return self.say(prompt["message"])
        return no_button(label)

    def shown(self) -> list[Shown]:
        """Every message of the bot, and the assistant's suggestions."""
        messages = [self._show(posted) for posted in self._seen()]
        titles = tuple(str(each["title"]) for each in self._slack.state.prompts)
        if titles:
            messages.append(Shown(f"prompts {titles}", "", titles, marks=("suggests",)))
        return messages

    def status(self) -> str:
        """The status in an assistant's thread."""
        return (self._slack.state.statuses or [""])[-1]

    def _say_in_channel(self, text: str) -> str:
        if text.startswith(NEW_THREAD):
            self._thread = ""
            text = text.removeprefix(NEW_THREAD).strip()
        aside = text.startswith(ASIDE)
        words = text.removeprefix(ASIDE).strip()
        said = html.escape(words, quote=False).replace(MENTION, self._slack.bot)
        if not (aside or self._slack.bot in said):
            said = f"{self._slack.bot} {said}"
        posted = self._person.say(said, channel=self._channel, thread=self._thread)
        if not (aside or self._thread):
            self._thread = posted.ts
        return ""

    def _seen(self) -> list[Posted]:
        return [
            posted
            for posted in self._channel.posted
            if posted.from_bot
            and posted.seen_by in ("", self._person.id)
            and not (self._assistant and posted.ts == self._thread)  # the pane's own "New chat"
        ]

    def _show(self, posted: Posted) -> Shown:
        marks = ["in the thread"] if self.shared and posted.thread else []
        marks += ["only you see this"] if posted.seen_by else []
        files = tuple(str(each.get("name") or "") for each in posted.data.get("files") or ())
        buttons = tuple(posted.buttons)
        return Shown(posted.ts, posted.text, buttons, files, tuple(marks), posted.streaming)
