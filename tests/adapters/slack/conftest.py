"""Slack adapters as processes of one bot, driven by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import slack_contract

from botkit.adapter import Outgoing, Preview, Receipt
from botkit.errors import DeliveryDelayedError, DeliveryError
from botkit.replies import Reply
from botkit.testing.slack import Channel, SlackSimulator
from botkit.types import ConversationKey, Event, Sender
from botkit_adapters.slack.adapter import SlackAdapter
from botkit_adapters.slack.tokens import OneToken

Json = Any


@dataclass
class Process:
    """One process of the bot that answers ``event``.

    Fields:
        saved: What it kept of its preview, in order.
        holding: Whether the conversation is its own.
    """

    slack: SlackSimulator
    event: Event
    adapter: SlackAdapter
    saved: list[Json] = field(default_factory=list)
    holding: bool = True

    def preview(self, saved: Json | None = None) -> Preview:
        """A preview, of a later attempt where something is ``saved``."""

        async def save(what: Json) -> None:
            self.saved.append(what)

        return self.adapter.preview(self.event, saved=saved, save=save, holds=lambda: self.holding)

    async def deliver(self, reply: Reply | str, saved: Json | None = None) -> list[Receipt]:
        """Deliver a reply as the core does: what is uncertain is looked for first."""
        shown = Reply(reply) if isinstance(reply, str) else reply
        payloads = self.adapter.render(shown, self.event, saved=saved)
        return [await self._deliver(at, payload) for at, payload in enumerate(payloads, 1)]

    async def _deliver(self, number: int, payload: Json) -> Receipt:
        uncertain = False
        for attempt in range(1, 9):
            outgoing = Outgoing(number, payload, attempt, uncertain)
            if uncertain and (found := await self.adapter.find(outgoing)) is not None:
                return found
            try:
                return await self.adapter.deliver(outgoing)
            except DeliveryDelayedError:
                uncertain = False
            except DeliveryError:
                uncertain = True
        raise AssertionError("never delivered")


@dataclass
class Place:
    """Where somebody asked something: in a thread of a channel, or in a direct message."""

    slack: SlackSimulator
    channel: Channel
    event: Event
    processes: list[Process] = field(default_factory=list)

    def process(self) -> Process:
        """Another process of the bot."""
        tokens = OneToken(self.slack.bot_token, {self.slack.state.team: self.slack.state.bot_user})
        adapter = SlackAdapter(tokens, base_url=self.slack.api_base_url)
        self.processes.append(Process(self.slack, self.event, adapter))
        return self.processes[-1]

    @property
    def shown(self) -> list[str]:
        """The bot's finished messages."""
        return [each.text for each in self.channel.posted if each.from_bot and not each.streaming]


@pytest.fixture(params=["thread", "direct"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """Ada's question, as yet unanswered."""
    async with SlackSimulator() as slack:
        ada = slack.user("Ada")
        threaded = request.param == "thread"
        channel = slack.channel("general") if threaded else ada.channel
        asked = slack.state.post(channel, {"user": ada.id, "text": "?"}, from_bot=False)
        thread, team = asked.ts if threaded else "", slack.state.team
        address = {"team": team, "channel": channel.id, "thread": thread, "user": ada.id}
        key = ConversationKey("slack", team, channel.id, thread)
        event = Event("E1", "message", key, Sender(ada.id), message_id=asked.ts, address=address)
        found = Place(slack, channel, event)
        yield found
        for process in found.processes:
            await process.adapter.aclose()
        slack_contract.check_simulator(slack)
