"""The web adapter: its platform is this very server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from botkit.adapter import (
    AdapterRoute,
    Capabilities,
    Holds,
    Intake,
    Outgoing,
    Preview,
    Receipt,
    SavePreview,
)
from botkit.errors import DeliveryDelayedError, StoreError
from botkit.replies import Reply
from botkit.types import Attachment, Event, Json, Sender
from botkit_adapters.web.chat import Chat
from botkit_adapters.web.door import Door
from botkit_adapters.web.feedback import Ratings
from botkit_adapters.web.files import Files
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.messages import Messages
from botkit_adapters.web.options import WebOptions
from botkit_adapters.web.outbound import Outbound
from botkit_adapters.web.page import page_routes
from botkit_adapters.web.preview import WebPreview
from botkit_adapters.web.rates import Limit
from botkit_adapters.web.render import render
from botkit_adapters.web.script import Script
from botkit_adapters.web.session import PLATFORM
from botkit_adapters.web.sessions import Sessions
from botkit_adapters.web.stream import Streams


class WebAdapter:
    """The server's side of the widget.

    Args:
        options: From the settings.
    """

    name = PLATFORM
    capabilities = Capabilities(streams=True, finds=True)

    def __init__(self, options: WebOptions) -> None:
        self._options = options
        self._hub: Hub | None = None
        self._files: Files | None = None
        self._outbound: Outbound | None = None

    def routes(self, intake: Intake) -> Sequence[AdapterRoute]:
        """The widget's, its script, the demo page, and ``/chat``."""
        options = self._options
        hub = self._hub = Hub(intake)
        sessions = Sessions(options, intake)
        files = self._files = Files(options, intake, sessions)
        self._outbound = Outbound(intake, hub, files)
        limit = Limit(options.rate)
        messages = Messages(options, intake, hub, sessions, files, limit)
        ratings = Ratings(intake, hub, sessions, limit)
        streams = Streams(intake, hub, sessions)
        chat = Chat(options, intake, hub, sessions, messages, limit)
        script = Script()
        door = Door(options.origins)
        return [
            *door.routes("/web/sessions", [("POST", sessions.begin)]),
            *door.routes("/web/stream", [("GET", streams.stream)]),
            *door.routes("/web/messages", [("POST", messages.take), ("GET", messages.earlier)]),
            *door.routes("/web/feedback", [("POST", ratings.take)]),
            *door.routes("/web/files", [("POST", files.take)]),
            *door.routes("/web/files/{id}", [("GET", files.give)], signed=True),
            door.nothing("/web/{other}"),
            *door.routes("/chat", [("POST", chat.answer)]),
            *script.routes,
            *page_routes(options, script),
        ]

    async def start(self, intake: Intake) -> None:
        """Begin to look at what other processes do."""
        if self._hub is not None:
            self._hub.start()

    async def drain(self) -> None:
        """Have pages come again, to where they are served next."""
        if self._hub is not None:
            self._hub.leave()

    async def aclose(self) -> None:
        """Stop looking."""
        if self._hub is not None:
            await self._hub.aclose()

    async def working(self, event: Event) -> None:
        """Show that an answer is under way, until cancelled."""
        assert self._hub is not None
        if event.kind != "feedback":
            await self._hub.work(event, event.address.get("entry", ""))

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        """A draft that pages show as it is written."""
        assert self._hub is not None
        return WebPreview(
            partial(self._hub.scene, event.conversation),
            event.address.get("entry", ""),
            saved=saved,
            save=save,
            holds=holds,
        )

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> Sequence[Json]:
        """One payload; see :func:`botkit_adapters.web.render.render`."""
        return [render(reply, event, saved)]

    async def pace(self, outgoing: Outgoing) -> None:
        """Nobody limits how often."""

    async def deliver(self, outgoing: Outgoing) -> Receipt:
        """Add one payload to what is shown."""
        assert self._outbound is not None
        return await self._outbound.deliver(outgoing)

    async def find(self, outgoing: Outgoing) -> Receipt | None:
        """Whether it was added."""
        assert self._outbound is not None
        return await self._outbound.find(outgoing)

    async def fetch(self, event: Event, attachment: Attachment) -> bytes:
        """The bytes of what a visitor sent."""
        assert self._files is not None
        try:
            return await self._files.fetch(event.conversation, attachment)
        except StoreError as error:
            raise DeliveryDelayedError(type(error).__name__) from None

    async def profile(self, event: Event) -> Sender:
        """Every event says who sent it."""
        return event.sender
