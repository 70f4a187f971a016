"""The Slack adapter: parse in, deliver out, stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from botkit.adapter import (
    PERSON,
    AdapterRoute,
    Capabilities,
    Holds,
    Intake,
    Outgoing,
    Preview,
    Receipt,
    SavePreview,
)
from botkit.errors import StoreError
from botkit.replies import Reply
from botkit.types import Attachment, Event, Json, Sender
from botkit_adapters.slack.addresses import EVENTS_PATH
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.history import History
from botkit_adapters.slack.inbound import events_handler
from botkit_adapters.slack.outbound import Outbound
from botkit_adapters.slack.parse import PLATFORM, Ignored, Parsed, Removed
from botkit_adapters.slack.preview import NoPreview, SlackPreview
from botkit_adapters.slack.render import answers_privately, render
from botkit_adapters.slack.socket import Socket
from botkit_adapters.slack.status import Status
from botkit_adapters.slack.streams import Streams
from botkit_adapters.slack.tokens import Tokens

DOWNLOAD_BYTES = 20 << 20
PROFILE_SECONDS = 86400.0
"""For which a profile is remembered."""


class SlackAdapter:
    """One app on Slack.

    Args:
        tokens: Whose token a call carries.
        signing_secret: Proves who sends events over HTTP; empty refuses everybody.
        app_token: Of Socket Mode; empty for none.
        base_url: Of the Web API; None for Slack's own.
    """

    name = PLATFORM
    capabilities = Capabilities(streams=True, finds=True)

    def __init__(
        self,
        tokens: Tokens,
        signing_secret: str = "",
        app_token: str = "",
        base_url: str | None = None,
    ) -> None:
        self._tokens = tokens
        self._signing_secret = signing_secret
        self._calls = Calls(tokens, base_url)
        self._history = History(self._calls, tokens.bot_user)
        self._streams = Streams()
        self._outbound = Outbound(self._calls, self._history, self._streams)
        self._status = Status(self._calls)
        self._socket = (
            Socket(app_token, base_url, tokens.bot_user, self.take) if app_token else None
        )
        self._intake: Intake | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def routes(self, intake: Intake) -> Sequence[AdapterRoute]:
        """Events, commands and interactions; and those that tokens come in by."""
        self._intake = intake
        self._tokens.bind(intake)
        handler = events_handler(self._signing_secret, self._tokens.bot_user, self.take)
        return [AdapterRoute("POST", EVENTS_PATH, handler), *self._tokens.routes()]

    async def start(self, intake: Intake) -> None:
        """Learn who the bot is and open the socket, in the background."""
        self._intake = intake
        self._tokens.bind(intake)
        self._tasks.append(asyncio.create_task(self._tokens.introduce(self._calls.call)))
        if self._socket is not None:
            self._tasks.append(asyncio.create_task(self._socket.run()))

    async def drain(self) -> None:
        """Nothing lasts."""

    async def aclose(self) -> None:
        """Close the socket and the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._socket is not None:
            await self._socket.aclose()
        await self._status.aclose()
        await self._tokens.aclose()
        await self._calls.aclose()

    async def take(self, parsed: Parsed) -> None:
        """Keep what Slack sent.

        Raises:
            StoreError: It cannot be kept now.
        """
        assert self._intake is not None
        if isinstance(parsed, Ignored):
            self._intake.count("ignored", parsed.reason)
        elif isinstance(parsed, Removed):
            await self._tokens.forget(parsed.team, parsed.at)
            self._intake.count("removed")
        else:
            await self._intake.accept([parsed])

    async def working(self, event: Event) -> None:
        """Show that the bot is thinking, where it is an assistant."""
        if event.address.get("assistant") and event.kind in ("message", "command"):
            await self._status.show(event.address)

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        """A stream in a thread, an edited message elsewhere."""
        if answers_privately(event.address):
            return NoPreview()
        return SlackPreview(
            self._calls,
            self._history,
            self._streams,
            event,
            saved=saved,
            save=save,
            holds=holds,
        )

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> Sequence[Json]:
        """The payloads; see :func:`botkit_adapters.slack.render.render`."""
        return render(reply, event.address, saved, event.message_id)

    async def pace(self, outgoing: Outgoing) -> None:
        """Wait for the channel's turn."""
        await self._outbound.pace(outgoing)

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Send one payload."""
        receipt = await self._outbound.deliver(outgoing)
        if receipt.message_id:
            self._status.answered(outgoing.payload["to"])
        return receipt

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """Look for a payload whose answer was lost."""
        return await self._outbound.find(outgoing)

    async def fetch(self, event: Event, attachment: Attachment) -> bytes:
        """The bytes of an attachment; of at most 20 MB."""
        return await self._calls.download(event.address["team"], attachment.id, DOWNLOAD_BYTES)

    async def profile(self, event: Event) -> Sender:
        """Name, locale and time zone, asked once a day."""
        assert self._intake is not None
        team, user = event.address["team"], event.sender.id
        key = f"{PERSON}{user}:{team}:profile"
        try:
            known = await self._intake.records.get(key)
            if known is None:
                arguments = {"user": user, "include_locale": True}
                answer = await self._calls.call(team, "users.info", arguments)
                known = _profile(answer.get("user") or {})
                await self._intake.records.put(key, known, expires_in=PROFILE_SECONDS)
        except StoreError:
            return event.sender
        return Sender(user, known["name"] or event.sender.name, known["locale"], known["timezone"])


def _profile(user: Json) -> dict[str, str]:
    profile = user.get("profile") or {}
    name = profile.get("display_name") or profile.get("real_name") or user.get("name")
    return {
        "name": str(name or ""),
        "locale": str(user.get("locale") or ""),
        "timezone": str(user.get("tz") or ""),
    }
