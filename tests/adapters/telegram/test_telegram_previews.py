"""A placeholder and its reply: however the one ends, the other is there once, and alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import telegram_contract
from telegram_bot import bot_on_telegram
from waiting import until

import botkit_adapters.showing
from botkit.adapter import Outgoing, Preview
from botkit.bot import Bot
from botkit.errors import DeliveryDelayedError
from botkit.replies import Button, File, Reply
from botkit.testing.telegram import Chat, TelegramSimulator
from botkit.types import ConversationKey, Event, Sender
from botkit_adapters.telegram.adapter import TelegramAdapter

FIRST = "The answer, as far as it goes, "
MORE = FIRST + "goes on and on "
FINAL = MORE + "and ends here."

in_a_private_chat = pytest.mark.parametrize("stage", [True], indirect=True)


@dataclass
class Stage:
    """A group, or a private chat, in which somebody asked something."""

    telegram: TelegramSimulator
    chat: Chat
    event: Event
    adapter: TelegramAdapter
    saved: list[Any] = field(default_factory=list)
    holding: bool = True

    def preview(self, saved: Any = None) -> Preview:
        async def save(what: Any) -> None:
            self.saved.append(what)

        return self.adapter.preview(
            self.event,
            saved=saved,
            save=save,
            holds=lambda: self.holding,
        )

    async def deliver(self, reply: Reply | str, saved: Any) -> None:
        shown = Reply(reply) if isinstance(reply, str) else reply
        payloads = self.adapter.render(shown, self.event, saved=saved)
        for number, payload in enumerate(payloads, 1):
            try:
                await self.adapter.deliver(Outgoing(number, payload))
            except DeliveryDelayedError:
                await self.adapter.deliver(Outgoing(number, payload, 2))

    @property
    def said(self) -> list[str]:
        return self.telegram.said(self.chat)

    def calls(self, method: str) -> int:
        return len([call for call in self.telegram.calls if call.method == method])

    async def open(self) -> Preview:
        """A preview with its placeholder on show."""
        preview = self.preview()
        await preview.update(FIRST)
        await until(lambda: len(self.saved) == 2)
        return preview


@pytest.fixture(params=[False])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    private: bool = request.param
    async with TelegramSimulator() as telegram:
        ada = telegram.user("Ada")
        chat = ada.chat if private else telegram.group("Team")
        address = {"chat": chat.id, "private": private, "topic": None, "reply_to": None}
        key = ConversationKey("telegram", "1", str(chat.id))
        event = Event("update:1", "message", key, Sender("1"), address=address)
        adapter = TelegramAdapter(telegram.bot_token, base_url=telegram.api_base_url)
        yield Stage(telegram, chat, event, adapter)
        await adapter.aclose()
        telegram_contract.check_simulator(telegram)


def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview that closes waits hardly at all."""
    monkeypatch.setattr(botkit_adapters.showing, "CLOSE_SECONDS", 0.05)


async def test_an_edit_under_way_ends_before_the_reply(stage: Stage) -> None:
    slow = stage.telegram.faults.add("editMessageText", "slow", seconds=0.5)
    preview = await stage.open()
    await preview.update(MORE)
    await until(lambda: slow.hits == 1)
    await preview.close()
    await stage.deliver(FINAL, stage.saved[-1])
    await asyncio.sleep(0.6)
    assert stage.said == [FINAL]
    assert stage.calls("sendMessage") == 1


async def test_an_edit_after_the_reply_overwrites_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly(monkeypatch)
    slow = stage.telegram.faults.add("editMessageText", "slow", seconds=1.0)
    preview = await stage.open()
    await preview.update(MORE)
    await until(lambda: slow.hits == 1)
    await preview.close()
    await stage.deliver(FINAL, stage.saved[-1])
    assert stage.said == [FINAL]
    await until(lambda: any(call.error for call in stage.telegram.calls))
    assert stage.said == [FINAL]


@in_a_private_chat
async def test_a_draft_under_way_ends_before_the_reply(stage: Stage) -> None:
    slow = stage.telegram.faults.add("sendMessageDraft", "slow", seconds=0.5)
    preview = stage.preview()
    await preview.update(FIRST)
    await until(lambda: slow.hits == 1)
    await preview.close()
    assert stage.chat.drafts == [FIRST.strip()]
    assert stage.saved == []


@pytest.mark.parametrize("stage", [True, False], indirect=True)
async def test_who_lost_the_conversation_shows_nothing(stage: Stage) -> None:
    stage.holding = False
    preview = stage.preview()
    await preview.update(FIRST)
    await asyncio.sleep(0.2)
    await preview.close()
    assert stage.telegram.calls == []


async def test_who_loses_the_conversation_shows_no_more(stage: Stage) -> None:
    preview = await stage.open()
    stage.holding = False
    await preview.update(MORE)
    await asyncio.sleep(1.7)
    await preview.close()
    assert stage.said == [FIRST.strip()]


@pytest.mark.parametrize("reply", [Reply(), Reply(files=(File("a.txt", b"a"),))])
async def test_a_reply_without_text_removes_the_placeholder(stage: Stage, reply: Reply) -> None:
    preview = await stage.open()
    await preview.close()
    await stage.deliver(reply, stage.saved[-1])
    assert len(stage.said) == len(reply.files)
    await stage.deliver(Reply(), stage.saved[-1])  # again, as after a crash
    assert len(stage.said) == len(reply.files)


async def test_a_removal_whose_answer_is_lost_is_done_again(stage: Stage) -> None:
    preview = await stage.open()
    await preview.close()
    stage.telegram.faults.add("deleteMessage", "drop_after")
    await stage.deliver(Reply(), stage.saved[-1])
    assert stage.calls("deleteMessage") == 2


async def test_refused_entities_cost_the_formatting_only(stage: Stage) -> None:
    preview = await stage.open()
    await preview.close()
    reason = "Bad Request: can't parse entities: something"
    stage.telegram.faults.add("editMessageText", "error", reason=reason)
    await stage.deliver("**bold**", stage.saved[-1])
    assert stage.said == ["bold"]
    assert stage.calls("sendMessage") == 1


@pytest.mark.parametrize("entities", [True, False])
async def test_a_placeholder_that_takes_no_text_goes(stage: Stage, entities: bool) -> None:
    preview = await stage.open()
    await preview.close()
    reason = "Bad Request: message can't be edited"
    stage.telegram.faults.add("editMessageText", "error", times=9, reason=reason)
    await stage.deliver("**bold**" if entities else "bold", stage.saved[-1])
    assert stage.said == ["bold"]


async def test_after_an_uncertain_placeholder_none_is_sent(stage: Stage) -> None:
    stage.telegram.faults.add("sendMessage", "drop_after")
    preview = stage.preview()
    await preview.update(FIRST)
    await stage.telegram.called("sendMessage")
    await preview.update(MORE)
    await asyncio.sleep(0.2)
    await preview.close()
    again = stage.preview(stage.saved[-1])
    await again.update(MORE)
    await asyncio.sleep(0.2)
    await again.close()
    assert stage.calls("sendMessage") == 1


async def test_a_refused_placeholder_is_forgotten(stage: Stage) -> None:
    stage.telegram.faults.add("sendMessage", "429", seconds=0.1)
    preview = stage.preview()
    await preview.update(FIRST)
    await until(lambda: stage.saved == [{"message_id": None}, {}])
    await preview.update(MORE)
    await until(lambda: len(stage.saved) == 4)
    await preview.close()
    await stage.deliver(FINAL, stage.saved[-1])
    assert stage.said == [FINAL]


async def test_a_placeholder_that_comes_too_late_is_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly(monkeypatch)
    slow = stage.telegram.faults.add("sendMessage", "slow", seconds=0.5)
    preview = stage.preview()
    await preview.update(FIRST)
    await until(lambda: slow.hits == 1)
    await preview.close()
    await stage.deliver(FINAL, stage.saved[-1])
    await stage.telegram.called("deleteMessage")
    assert stage.said == [FINAL]


async def test_every_button_is_confirmed_however_quick_the_turn(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def offer() -> Reply:
        return Reply("Pick", buttons=(Button("Go", "go"),))

    @bot.action("go")
    async def go() -> None:
        return None

    async with bot_on_telegram(tmp_path, bot) as running:
        telegram = running.telegram
        ada = telegram.user("Ada")
        ada.send("x")
        (offered,) = await telegram.replies(ada.chat, 1)
        telegram.faults.add("answerCallbackQuery", "slow", seconds=0.5, times=5)
        for _ in range(5):
            ada.click(offered, "Go")
        await telegram.called("answerCallbackQuery", 4)
    assert len(telegram._done("answerCallbackQuery")) == 5
    assert not telegram.state.callbacks
