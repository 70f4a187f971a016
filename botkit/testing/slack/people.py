"""A person in the simulated workspace."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botkit.testing.slack.state import Channel, Json, Posted

if TYPE_CHECKING:
    from botkit.testing.slack.simulator import SlackSimulator


@dataclass
class Person:
    """Says things and presses buttons; the app hears of what concerns it.

    Fields:
        id: The user id.
        channel: The direct message with the app.
    """

    slack: SlackSimulator
    id: str
    name: str
    channel: Channel

    def say(self, text: str, *, channel: Channel | None = None, thread: str = "") -> Posted:
        """Say something, in a channel or to the app alone. Where the app is mentioned it gets two
        events, ``message`` and ``app_mention``, as Slack sends them."""
        return self._post({"text": text}, channel, thread)

    def upload(self, name: str, data: bytes, media_type: str, text: str = "") -> Posted:
        """Share a file with the app."""
        state = self.slack.state
        number = f"F{next(state.numbers)}"
        state.files[number] = (name, data)
        file = {
            "id": number,
            "name": name,
            "mimetype": media_type,
            "size": len(data),
            "url_private": self.slack.file_url(number),
            "url_private_download": self.slack.file_url(number),
        }
        return self._post({"text": text, "files": [file], "subtype": "file_share"}, None, "")

    def open_assistant(self) -> str:
        """Open the assistant's pane: a new thread; its root."""
        root = self.slack.state.post(
            self.channel, {"user": self.slack.state.bot_user, "text": "New chat"}, from_bot=True
        )
        thread = {"user_id": self.id, "channel_id": self.channel.id, "thread_ts": root.ts}
        self._event({"type": "assistant_thread_started", "assistant_thread": thread})
        return root.ts

    def command(self, command: str, text: str = "", *, channel: Channel | None = None) -> None:
        """Type a slash command."""
        where = channel or self.channel
        payload = {
            "command": command,
            "text": text,
            "team_id": self.slack.state.team,
            "channel_id": where.id,
            "user_id": self.id,
            "user_name": self.name.lower(),
            "trigger_id": f"trigger-{next(self.slack.state.numbers)}",
            "response_url": self.slack.response_url(where, self.id),
        }
        self.slack.deliveries.send("slash_commands", payload)

    def click(self, posted: Posted, label: str) -> None:
        """Press a button.

        Raises:
            KeyError: There is no such button.
        """
        button = posted.buttons[label]
        where = next(each for each in self.slack.state.channels.values() if posted in each.posted)
        container: Json = {
            "type": "message",
            "message_ts": posted.ts,
            "channel_id": where.id,
            "is_ephemeral": bool(posted.seen_by),
        }
        if posted.thread:
            container["thread_ts"] = posted.thread
        payload = {
            "type": "block_actions",
            "team": {"id": self.slack.state.team, "domain": "simulated"},
            "user": {"id": self.id, "name": self.name.lower(), "team_id": self.slack.state.team},
            "container": container,
            "channel": {"id": where.id, "name": where.name},
            "message": posted.data,
            "trigger_id": f"trigger-{next(self.slack.state.numbers)}",
            "response_url": self.slack.response_url(where, self.id),
            "actions": [
                {
                    "type": "button",
                    "action_id": button["action_id"],
                    "value": button.get("value", ""),
                    "action_ts": f"{time.time():.6f}",
                }
            ],
        }
        self.slack.deliveries.send("interactive", payload)

    def uninstall(self) -> None:
        """Remove the app from the workspace."""
        self.slack.revoked = True
        self._event({"type": "app_uninstalled"})

    def _post(self, fields: Json, channel: Channel | None, thread: str) -> Posted:
        where = channel or self.channel
        if thread:
            fields["thread_ts"] = thread
        posted = self.slack.state.post(where, {"user": self.id, **fields}, from_bot=False)
        kind = "im" if where.direct else "channel"
        event = {**posted.data, "channel": where.id, "channel_type": kind}
        self._event(event)
        if not where.direct and self.slack.bot in posted.text:
            self._event({**event, "type": "app_mention"})
        return posted

    def _event(self, event: Json) -> None:
        state = self.slack.state
        envelope = {
            "token": "legacy",
            "team_id": state.team,
            "api_app_id": state.app_id,
            "event": {"event_ts": f"{time.time():.6f}", **event},
            "type": "event_callback",
            "event_id": f"Ev{next(state.numbers):08d}",
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": state.team,
                    "user_id": state.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
        }
        self.slack.deliveries.send("events_api", envelope)
