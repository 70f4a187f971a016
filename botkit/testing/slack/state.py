"""What a simulated Slack workspace remembers."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

STREAM_SECONDS = 300.0


class ApiError(Exception):
    """An answer with ``"ok": false``; ``detail`` says more to people who write bots."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass
class Posted:
    """One message.

    Fields:
        data: As Slack shows it.
        from_bot: Whether the app posted it.
        streaming: It is being streamed, since ``streamed_at`` (seconds of the process' clock).
        versions: Its texts, the first and after every change.
        seen_by: The one person who sees it; empty when all do.
    """

    data: Json
    from_bot: bool = False
    streaming: bool = False
    streamed_at: float = 0.0
    versions: list[str] = field(default_factory=list)
    seen_by: str = ""

    @property
    def ts(self) -> str:
        """Its id in the channel."""
        return str(self.data["ts"])

    @property
    def thread(self) -> str:
        """The message that its thread hangs on; empty at the top."""
        return str(self.data.get("thread_ts") or "")

    @property
    def text(self) -> str:
        """What people read: its markdown blocks, or its text."""
        shown = [each["text"] for each in self.blocks("markdown")]
        return "\n".join(shown) or str(self.data.get("text") or "")

    def blocks(self, kind: str) -> list[Json]:
        """Its blocks of one type."""
        return [each for each in self.data.get("blocks") or [] if each["type"] == kind]

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons under it, by label; feedback buttons as ``positive`` and ``negative``."""
        found = {
            element["text"]["text"]: element
            for block in self.blocks("actions")
            for element in block["elements"]
            if element["type"] == "button"
        }
        for block in self.blocks("section"):
            accessory = block.get("accessory") or {}
            if accessory.get("type") == "button":
                found[accessory["text"]["text"]] = accessory
        for block in self.blocks("context_actions"):
            for element in block["elements"]:
                for name in ("positive_button", "negative_button"):
                    value = element[name]["value"]
                    found[value] = {
                        "type": element["type"],
                        "action_id": element["action_id"],
                        "text": element[name]["text"],
                        "value": value,
                    }
        return found


@dataclass
class Channel:
    """A channel, or the direct message of one person with the app.

    Fields:
        owner: Whose direct message it is; empty for a channel.
        joined: Whether the app is in it: elsewhere it neither hears nor speaks.
    """

    id: str
    name: str
    direct: bool = False
    owner: str = ""
    joined: bool = True
    posted: list[Posted] = field(default_factory=list)

    def find(self, ts: str) -> Posted | None:
        """The message of that id."""
        return next((each for each in self.posted if each.ts == ts), None)


@dataclass
class ResponseUrl:
    """An address for answers to one command or one press of a button.

    Fields:
        user: Who sees an answer that is not for all.
        posted: The message whose button was pressed.
        left: How often it may still be used.
    """

    channel: Channel
    user: str
    posted: Posted | None = None
    left: int = 5


@dataclass
class State:
    """Everything of one workspace."""

    team: str = "T0SIM"
    bot_user: str = "U0BOT"
    bot_id: str = "B0BOT"
    app_id: str = "A0SIM"
    stream_seconds: float = STREAM_SECONDS
    users: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    prompts: list[Json] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    urls: dict[str, ResponseUrl] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def ts(self) -> str:
        """A new message id."""
        return f"{int(time.time())}.{next(self.numbers):06d}"

    def channel(self, channel_id: Any) -> Channel:
        """The channel of that id; of a person's id the direct message.

        Raises:
            ApiError: There is none.
        """
        found = self.channels.get(str(channel_id)) or next(
            (each for each in self.channels.values() if each.owner == channel_id), None
        )
        if found is None:
            raise ApiError("channel_not_found")
        return found

    def writable(self, channel_id: Any) -> Channel:
        """The channel, when the app may write there.

        Raises:
            ApiError: It may not.
        """
        found = self.channel(channel_id)
        if not found.joined:
            raise ApiError("not_in_channel")
        return found

    def post(self, channel: Channel, fields: Json, *, from_bot: bool) -> Posted:
        """A new message."""
        shown = {"type": "message", "ts": self.ts(), "team": self.team, **fields}
        posted = Posted(shown, from_bot)
        posted.versions.append(posted.text)
        channel.posted.append(posted)
        return posted
