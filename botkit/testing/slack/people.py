"""A person in the simulated workspace."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botkit.testing.slack.events import envelope, message_event, typed
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
        return self._post(typed(text), channel, thread)

    def upload(self, name: str, data: bytes, media_type: str, text: str = "") -> Posted:
        """Share a file with the app."""
        state = self.slack.state
        number = f"F{next(state.numbers)}"
        state.files[number] = (name, data)
        file = {
            "id": number,
            "name": name,
            "title": name,
            "mimetype": media_type,
            "filetype": name.rpartition(".")[2],
            "mode": "hosted",
            "user": self.id,
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
            **self._origin(where),
            "command": command,
            "text": text,
            "is_enterprise_install": "false",
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
        state = self.slack.state
        payload: Json = {
            "type": "block_actions",
            "api_app_id": state.app_id,
            "token": "legacy",
            "enterprise": None,
            "is_enterprise_install": False,
            "state": {"values": {}},
            "team": {"id": state.team, "domain": "simulated"},
            "user": {
                "id": self.id,
                "username": self.name.lower(),
                "name": self.name.lower(),
                "team_id": state.team,
            },
            "container": container,
            "channel": {"id": where.id, "name": _shown_name(where)},
            "message": posted.data,
            "trigger_id": f"trigger-{next(state.numbers)}",
            "response_url": self.slack.response_url(where, self.id, posted),
            "actions": [_action(posted, button)],
        }
        self.slack.deliveries.send("interactive", payload)

    def uninstall(self) -> None:
        """Remove the app from the workspace."""
        self.slack.revoked = True
        self.slack.oauth.revoke(self.slack.state.team)
        self._event({"type": "app_uninstalled"})

    def revoke_tokens(self, *, bot: bool) -> None:
        """Have the bot's token revoked, or only one's own."""
        if bot:
            self.slack.oauth.revoke(self.slack.state.team)
        revoked = {"bot": [self.slack.state.bot_user]} if bot else {"oauth": [self.id]}
        self._event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [], **revoked}})

    def _post(self, fields: Json, channel: Channel | None, thread: str) -> Posted:
        where = channel or self.channel
        if thread:
            fields["thread_ts"] = thread
        posted = self.slack.state.post(where, {"user": self.id, **fields}, from_bot=False)
        if not where.joined:
            return posted
        event = message_event(where, posted)
        self._event(event)
        if not where.direct and self.slack.bot in posted.text:
            self._event({**event, "type": "app_mention"})
        return posted

    def _event(self, event: Json) -> None:
        self.slack.deliveries.send("events_api", envelope(self.slack.state, event))

    def _origin(self, where: Channel) -> Json:
        state = self.slack.state
        return {
            "token": "legacy",
            "api_app_id": state.app_id,
            "team_id": state.team,
            "team_domain": "simulated",
            "channel_id": where.id,
            "channel_name": _shown_name(where),
            "user_id": self.id,
            "user_name": self.name.lower(),
            "trigger_id": f"trigger-{next(state.numbers)}",
        }


def _shown_name(channel: Channel) -> str:
    return "directmessage" if channel.direct else channel.name


def _action(posted: Posted, button: Json) -> Json:
    """The press of a button, with the block that holds it."""
    blocks = posted.data.get("blocks") or []
    holder = next(block for block in blocks if _holds(block, button["action_id"]))
    return {
        "type": button["type"],
        "action_id": button["action_id"],
        "block_id": holder["block_id"],
        "text": button["text"],
        "value": button.get("value", ""),
        "action_ts": f"{time.time():.6f}",
    }


def _holds(block: Json, action_id: str) -> bool:
    elements = [*block.get("elements", []), block.get("accessory") or {}]
    return any(element.get("action_id") == action_id for element in elements)
