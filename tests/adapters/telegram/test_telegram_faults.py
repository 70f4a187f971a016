"""Telegram fails in every way it can: each reply is there, whole, and in order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from telegram_bot import bot_on_telegram
from waiting import until

TEXT = " ".join(f"word{number}" for number in range(100))


async def test_a_storm_of_429_costs_no_reply_and_no_order(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        telegram.faults.add("sendMessage", "429", times=12, seconds=0.2)
        people = [telegram.user(name) for name in ("Ada", "Bob", "Cleo")]
        for number in range(3):
            for person in people:
                person.send(f"m{number}")
        await until(lambda: all(len(telegram.said(each.chat)) == 3 for each in people), within=60)
        for person in people:
            assert telegram.said(person.chat) == ["1: m0", "3: m1", "5: m2"]
        assert running.metric("botkit_uncertain_sends_total") == 0


async def test_one_chat_that_is_throttled_holds_no_other_up(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        ada, bob = telegram.user("Ada"), telegram.user("Bob")
        storm = telegram.faults.add("sendMessage", "429", seconds=5)
        ada.send("hello")
        await until(lambda: storm.hits == 1)
        began = time.monotonic()
        bob.send("hello")
        await telegram.replies(bob.chat, 1)
        assert telegram.said(ada.chat) == []
        await telegram.replies(ada.chat, 1)
        assert time.monotonic() - began > 4.5, "Telegram said when to come back"
        assert running.metric("botkit_uncertain_sends_total") == 0


async def test_a_slow_call_holds_nobody_else_up(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        ada, bob = telegram.user("Ada"), telegram.user("Bob")
        slow = telegram.faults.add("sendMessage", "slow", seconds=3)
        ada.send("hello")
        await until(lambda: slow.hits == 1)
        bob.send("hello")
        await telegram.replies(bob.chat, 1)
        assert telegram.said(ada.chat) == []
        await telegram.replies(ada.chat, 1)
        assert telegram.said(ada.chat) == ["1: hello"]


@pytest.mark.parametrize("kind", ["429", "5xx", "drop_before", "drop_after", "error"])
async def test_a_lost_draft_costs_no_reply(tmp_path: Path, kind: str) -> None:
    async with bot_on_telegram(tmp_path, replies=[TEXT]) as running:
        running.completion.delay = 0.01
        telegram = running.telegram
        telegram.faults.add("sendMessageDraft", kind, times=2, seconds=1)  # type: ignore[arg-type]
        ada = telegram.user("Ada")
        ada.send("go")
        await telegram.replies(ada.chat, 1)
        await running.idle()
        assert telegram.said(ada.chat) == [TEXT]


@pytest.mark.parametrize(
    "reason",
    ["Bad Request: message to edit not found", "Bad Request: message can't be edited"],
)
async def test_a_placeholder_that_is_gone_is_followed_by_the_reply(
    tmp_path: Path, reason: str
) -> None:
    async with bot_on_telegram(tmp_path, replies=[TEXT]) as running:
        running.completion.delay = 0.02
        telegram = running.telegram
        telegram.faults.add("editMessageText", "error", times=99, reason=reason)
        ada, group = telegram.user("Ada"), telegram.group("Team")
        ada.send("@test_bot go", chat=group)
        await until(lambda: telegram.said(group)[-1:] == [TEXT], within=30)
        await running.idle()
        assert telegram.said(group).count(TEXT) == 1


@pytest.mark.parametrize("kind", ["429", "5xx", "drop_before", "drop_after"])
async def test_a_disturbed_edit_leaves_one_reply(tmp_path: Path, kind: str) -> None:
    async with bot_on_telegram(tmp_path, replies=[TEXT]) as running:
        running.completion.delay = 0.02
        telegram = running.telegram
        telegram.faults.add("editMessageText", kind, seconds=1)  # type: ignore[arg-type]
        ada, group = telegram.user("Ada"), telegram.group("Team")
        ada.send("@test_bot go", chat=group)
        await until(lambda: telegram.said(group) == [TEXT], within=30)
        await running.idle()
        assert telegram.said(group) == [TEXT]


async def test_a_chat_that_moved_before_the_reply_gets_it_where_it_is(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path, replies=["one", "two"]) as running:
        telegram = running.telegram
        ada, group = telegram.user("Ada"), telegram.group("Team")
        slow = telegram.faults.add("sendMessage", "slow", seconds=1)
        ada.send("@test_bot go", chat=group)
        await until(lambda: slow.hits == 1)
        supergroup = telegram.migrate(group)
        await until(lambda: telegram.said(supergroup) == ["one"], within=20)
        ada.send("@test_bot more", chat=supergroup)
        await telegram.replies(supergroup, 1)
        await running.idle()
        assert telegram.said(supergroup) == ["one", "two"]
        assert (await running.application.store.stats()).dead == 0


async def test_an_api_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        telegram.faults.add("sendMessage", "drop_before", times=3)
        ada = telegram.user("Ada")
        ada.send("hello")
        await telegram.replies(ada.chat, 1)
        await running.idle()
        assert telegram.said(ada.chat)[-1] == "1: hello"
