"""The Telegram adapter, end to end: people on a simulated Telegram, a real bot behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from telegram_bot import SECRET, bot_on_telegram
from waiting import until

from botkit.bot import Bot
from botkit.replies import Button, File, Reply
from botkit.turn import Turn


@pytest.mark.parametrize("webhook", [True, False])
async def test_a_private_chat_is_answered_and_remembered(tmp_path: Path, webhook: bool) -> None:
    async with bot_on_telegram(tmp_path, webhook=webhook) as running:
        alice = running.telegram.user("Alice")
        alice.send("hello")
        assert [each.text for each in await running.telegram.replies(alice.chat, 1)] == ["1: hello"]
        alice.send("again 😀")
        assert [each.text for each in await running.telegram.replies(alice.chat, 1)] == [
            "3: again 😀"
        ]


async def test_a_group_is_answered_on_mention_reply_and_command_only(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        alice, group = telegram.user("Alice"), telegram.group("Team")
        alice.send("anyone here?", chat=group)
        alice.send("😀 @test_bot, what is up?", chat=group)
        (first,) = await telegram.replies(group, 1)
        assert first.text == "1: 😀, what is up?"
        assert first.data["reply_to_message"]["text"] == "😀 @test_bot, what is up?"
        alice.send("and now?", chat=group, reply_to=first)
        (second,) = await telegram.replies(group, 1)
        assert second.text == "3: and now?"
        alice.send("/help@test_bot", chat=group)
        assert (await telegram.replies(group, 1))[0].text.endswith("Or just write to me.")
        alice.send("/help@another_bot", chat=group)
        alice.send("@test_bot last", chat=group)
        await telegram.replies(group, 1)
        assert len(telegram.said(group)) == 4


async def test_topics_are_conversations_of_their_own(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        alice, forum = telegram.user("Alice"), telegram.group("Forum", forum=True)
        alice.send("@test_bot one", chat=forum, topic=7)
        assert (await telegram.replies(forum, 1))[0].data["message_thread_id"] == 7
        alice.send("@test_bot two", chat=forum, topic=8)
        (reply,) = await telegram.replies(forum, 1)
        assert (reply.text, reply.data["message_thread_id"]) == ("1: two", 8)


async def test_drafts_show_the_reply_while_it_is_written(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(60))
    async with bot_on_telegram(tmp_path, replies=[text]) as running:
        running.completion.delay = 0.02
        alice = running.telegram.user("Alice")
        alice.send("go")
        (reply,) = await running.telegram.replies(alice.chat, 1)
        assert reply.text == text
        assert alice.chat.drafts
        assert all(text.startswith(draft) for draft in alice.chat.drafts)


async def test_a_group_sees_one_message_that_is_edited(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    async with bot_on_telegram(tmp_path, replies=[text]) as running:
        running.completion.delay = 0.02
        telegram = running.telegram
        alice, group = telegram.user("Alice"), telegram.group("Team")
        alice.send("@test_bot go", chat=group)
        async with asyncio.timeout(30):
            while telegram.said(group) != [text]:
                await telegram.called("editMessageText")
                await asyncio.sleep(0.05)
        (said,) = await telegram.replies(group, 1)
        assert len(said.versions) >= 2


async def test_buttons_commands_files_and_feedback(tmp_path: Path) -> None:
    bot = Bot()
    heard: list[str] = []

    @bot.command("order", description="Order something")
    async def order(item: str) -> Reply:
        return Reply(f"**{item}**?", buttons=(Button("Yes", "yes", item),), feedback=True)

    @bot.action("yes")
    async def yes(value: str) -> Reply:
        return Reply(f"{value} comes", files=(File("bill.txt", b"12 EUR", "text/plain"),))

    @bot.feedback
    async def feedback(value: str) -> None:
        heard.append(value)

    async with bot_on_telegram(tmp_path, bot) as running:
        telegram = running.telegram
        await telegram.called("setMyCommands")
        order, *usual = telegram.state.commands
        assert order == {"command": "order", "description": "Order something"}
        assert [each["command"] for each in usual] == ["reset", "forget", "memory"]
        alice = telegram.user("Alice")
        alice.send("/order pizza margherita")
        (question,) = await telegram.replies(alice.chat, 1)
        assert question.text == "pizza margherita?"
        assert question.data["entities"] == [{"type": "bold", "offset": 0, "length": 16}]
        query = alice.click(question, "Yes")
        said = await telegram.replies(alice.chat, 3)
        assert said[1].text == "pizza margherita comes"
        assert said[2].data["document"]["file_size"] == 6
        assert query not in telegram.state.callbacks
        alice.click(question, "👍")
        await telegram.called("answerCallbackQuery", 2)
        await until(lambda: heard == ["positive"])


async def test_unsupported_things_are_answered_kindly(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        alice = running.telegram.user("Alice")
        for send in (alice.send_sticker, alice.send_location, lambda: alice.send_voice(b"ogg")):
            send()
            (reply,) = await running.telegram.replies(alice.chat, 1)
            assert reply.text.startswith("Sorry, I cannot read")


async def test_a_handler_gets_the_bytes_of_a_photo(tmp_path: Path) -> None:
    bot = Bot()

    @bot.default
    async def size(turn: Turn) -> str:
        data = await turn.fetch(turn.attachments[0])
        return f"{turn.text}: {len(data)} bytes"

    async with bot_on_telegram(tmp_path, bot) as running:
        alice = running.telegram.user("Alice")
        alice.send_photo(b"12345", "look")
        assert (await running.telegram.replies(alice.chat, 1))[0].text == "look: 5 bytes"


async def test_a_lost_answer_is_sent_again_and_counted(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        running.telegram.faults.add("sendMessage", "drop_after")
        alice = running.telegram.user("Alice")
        alice.send("hello")
        assert [each.text for each in await running.telegram.replies(alice.chat, 2)] == [
            "1: hello",
            "1: hello",
        ]
        assert running.metric('botkit_uncertain_sends_total{platform="telegram"') == 1


@pytest.mark.parametrize("kind", ["429", "5xx", "drop_before"])
async def test_a_fault_before_sending_costs_no_reply(tmp_path: Path, kind: str) -> None:
    async with bot_on_telegram(tmp_path) as running:
        running.telegram.faults.add("sendMessage", kind, seconds=1)  # type: ignore[arg-type]
        alice = running.telegram.user("Alice")
        alice.send("hello")
        assert [each.text for each in await running.telegram.replies(alice.chat, 1)] == ["1: hello"]


async def test_a_refused_entity_costs_the_formatting_only(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path, replies=["**bold**"]) as running:
        reason = "Bad Request: can't parse entities: something"
        running.telegram.faults.add("sendMessage", "error", reason=reason)
        alice = running.telegram.user("Alice")
        alice.send("hello")
        (reply,) = await running.telegram.replies(alice.chat, 1)
        assert (reply.text, "entities" in reply.data) == ("bold", False)


async def test_who_blocks_the_bot_leaves_a_dead_letter(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        alice = running.telegram.user("Alice")
        alice.block()
        alice.send("hello")
        refused = 'botkit_deliveries_total{outcome="refused"'
        await until(lambda: running.metric(refused) == 1)
        await asyncio.sleep(0.1)
        letters = await running.application.store.dead_letters()
        assert letters[0].reason == "Forbidden: bot was blocked by the user"


async def test_a_migrated_group_keeps_its_history(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        telegram = running.telegram
        alice, group = telegram.user("Alice"), telegram.group("Team")
        alice.send("@test_bot one", chat=group)
        await telegram.replies(group, 1)
        supergroup = telegram.migrate(group)
        await telegram.replies(group, 0)
        await until(lambda: len(telegram.deliveries.log) == 2)
        alice.send("@test_bot two", chat=supergroup)
        assert (await telegram.replies(supergroup, 1))[0].text == "3: two"


async def test_a_delivery_that_comes_often_is_answered_once(tmp_path: Path) -> None:
    async with bot_on_telegram(tmp_path) as running:
        running.telegram.deliveries.copies = 5
        alice = running.telegram.user("Alice")
        for number in range(3):
            alice.send(f"m{number}")
        await running.telegram.called("sendMessage", 3)
        await until(lambda: len(running.telegram.deliveries.log) == 15)
        assert len(running.telegram.said(alice.chat)) == 3


@pytest.mark.parametrize(
    ("body", "secret", "status"),
    [
        (b'{"update_id": 1}', "wrong", 401),
        (b'{"update_id": 1}', "", 401),
        (b"{", SECRET, 400),
        (b"[]", SECRET, 400),
        (b"\xff\xfe", SECRET, 400),
        (b'{"message": {}}', SECRET, 400),
        (b'{"update_id": 1, "message": {"chat": 5}}', SECRET, 400),
        (b'{"update_id": 1, "brand_new": {}}', SECRET, 200),
        (b"x" * (5 << 20), SECRET, 413),
    ],
)
async def test_bad_requests_are_refused(
    tmp_path: Path, body: bytes, secret: str, status: int
) -> None:
    async with bot_on_telegram(tmp_path) as running, aiohttp.ClientSession() as session:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        url = f"{running.address}/telegram/webhook"
        async with session.post(url, data=body, headers=headers) as response:
            assert response.status == status
