"""One message in, exactly one reply out: a whole bot over a platform in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stage import StageAdapter, event, on_stage
from waiting import until

from botkit.adapter import Capabilities
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import (
    DeliveryDelayedError,
    DeliveryRefusedError,
    DeliveryUncertainError,
    InvalidRequestError,
    OverloadedError,
)
from botkit.replies import Button, Reply
from botkit.turn import Turn


async def test_a_bot_without_handlers_answers_and_remembers(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage:
        await stage.say("my name is Ada")
        assert await stage.replies(1) == ["1 messages; you said: my name is Ada"]
        await stage.say("what is my name?")
        assert (await stage.replies(2))[1] == "3 messages; you said: what is my name?"


async def test_the_reply_is_shown_while_it_is_written(tmp_path: Path) -> None:
    completion = ScriptedCompletion(["one two three"])
    async with on_stage(tmp_path, completion=completion) as stage:
        await stage.say("go")
        assert await stage.replies(1) == ["one two three"]
    assert stage.adapter.shown == ["one", "one two", "one two three", "closed"]


async def test_a_delivery_that_comes_again_changes_nothing(tmp_path: Path) -> None:
    twice = event("hello", dedupe=("message:1",))
    other = event("hello", dedupe=("message:1",))
    async with on_stage(tmp_path) as stage:
        await asyncio.gather(*(stage.hear(each) for each in [twice, twice, other, twice]))
        await stage.replies(1)
        await stage.hear(other)
        await stage.idle()
        assert len(stage.adapter.sent) == 1
        assert stage.counted("botkit_events_duplicate_total", platform="stage") == 4


async def test_turns_keep_their_order_per_conversation_and_overlap_across(tmp_path: Path) -> None:
    bot = Bot(middleware=[])
    running: set[str] = set()
    most = 0

    @bot.default
    async def slow(turn: Turn, text: str) -> str:
        nonlocal most
        channel = turn.conversation.channel
        assert channel not in running, "two turns of one conversation at once"
        running.add(channel)
        most = max(most, len(running))
        await asyncio.sleep(random.random() / 200)
        running.remove(channel)
        return text

    async with on_stage(tmp_path, bot) as stage:
        for number in range(50):
            await asyncio.gather(*(stage.say(str(number), f"c{at}") for at in range(20)))
        for at in range(20):
            said = await stage.replies(50, f"c{at}", within=120)
            assert said == [str(number) for number in range(50)]
    assert most > 1


async def test_handlers_take_by_name_what_they_need(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("order")
    async def order(turn: Turn, count: int, item: str) -> Reply:
        turn.state["orders"] = turn.state.get("orders", 0) + count
        return Reply(f"{count} x {item}", buttons=(Button("Pay", "pay", "42"),))

    @bot.action("pay")
    async def pay(value: str, state: dict[str, int]) -> str:
        return f"paid {value} for {state['orders']}"

    @bot.message(r"weather in (?P<city>\w+)")
    async def weather(city: str) -> AsyncIterator[str]:
        yield "Sunny in "
        yield city

    async with on_stage(tmp_path, bot) as stage:
        await stage.say("2 four cheese pizza", kind="command", name="order")
        await stage.say("many pizza", kind="command", name="order")
        await stage.say("", kind="action", name="pay", value="42")
        await stage.say("what is the weather in Lisbon?")
        assert await stage.replies(4) == [
            "2 x four cheese pizza",
            "count should be a whole number, not “many”. Usage: /order <count> <item>",
            "paid 42 for 2",
            "Sunny in Lisbon",
        ]
        assert stage.adapter.replies[0]["buttons"] == ["pay"]


async def test_what_cannot_be_read_is_said_kindly(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage:
        await stage.say("", unsupported="a sticker")
        assert await stage.replies(1) == [
            "Sorry, I cannot read a sticker yet. Could you put it into words?"
        ]


async def test_a_failing_handler_becomes_a_dead_letter_with_an_apology(tmp_path: Path) -> None:
    bot = Bot()
    tries = 0

    @bot.message("boom")
    async def broken() -> str:
        nonlocal tries
        tries += 1
        raise ValueError("a bug")

    async with on_stage(tmp_path, bot, turn_attempts=2) as stage:
        await stage.say("boom")
        await stage.say("and you?")
        said = await stage.replies(2)
        assert "something went wrong" in said[0]
        assert said[1].endswith("and you?")
        letters = await stage.application.store.dead_letters()
    assert tries == 2
    assert [letter.reason for letter in letters] == ["ValueError"]


async def test_a_busy_model_is_waited_for(tmp_path: Path) -> None:
    busy = OverloadedError("full", retry_after=0.01)
    completion = ScriptedCompletion([busy, busy, busy, "at last"])
    async with on_stage(tmp_path, completion=completion, turn_attempts=1) as stage:
        await stage.say("hello")
        assert await stage.replies(1) == ["at last"]


async def test_a_request_that_is_wrong_is_not_tried_again(tmp_path: Path) -> None:
    completion = ScriptedCompletion([InvalidRequestError("no")])
    async with on_stage(tmp_path, completion=completion) as stage:
        await stage.say("hello")
        assert "something went wrong" in (await stage.replies(1))[0]
    assert completion.counts.started == 1


async def test_a_delayed_delivery_comes_later_and_in_order(tmp_path: Path) -> None:
    adapter = StageAdapter(limit=5, failures=[None, DeliveryDelayedError("ratelimited", 0.05)])
    completion = ScriptedCompletion(["12345abcdeXYZ", "next"])
    async with on_stage(tmp_path, completion=completion, adapter=adapter) as stage:
        await stage.say("a")
        await stage.say("b")
        assert await stage.replies(4) == ["12345", "abcde", "XYZ", "next"]


async def test_a_refused_delivery_becomes_a_dead_letter(tmp_path: Path) -> None:
    adapter = StageAdapter(failures=[DeliveryRefusedError("channel_not_found")])
    async with on_stage(tmp_path, adapter=adapter) as stage:
        await stage.say("a")
        await stage.say("b")
        assert len(await stage.replies(1)) == 1
        letters = await stage.application.store.dead_letters()
        assert [(each.kind, each.reason) for each in letters] == [("delivery", "channel_not_found")]


@pytest.mark.parametrize(
    ("policy", "finds", "sent", "counted"),
    [
        ("at_least_once", False, 2, "sent_again"),
        ("at_most_once", False, 1, "given_up"),
        ("at_least_once", True, 1, "found"),
        ("at_most_once", True, 1, "found"),
    ],
)
async def test_a_lost_answer_is_counted(
    tmp_path: Path, policy: str, finds: bool, sent: int, counted: str
) -> None:
    adapter = StageAdapter(
        capabilities=Capabilities(finds=finds), lost_answers=[DeliveryUncertainError("reset")]
    )
    async with on_stage(tmp_path, adapter=adapter, send_policy=policy) as stage:
        await stage.say("a")
        await stage.replies(sent)
        await stage.idle()
        assert len(stage.adapter.sent) == sent
        assert stage.counted("botkit_uncertain_sends_total", policy=counted) == 1


async def test_an_interim_reply_is_sent_once_though_the_turn_runs_again(tmp_path: Path) -> None:
    bot = Bot()
    tries = 0

    @bot.default
    async def thinking(turn: Turn) -> str:
        nonlocal tries
        await turn.reply("one moment")
        tries += 1
        if tries == 1:
            raise ValueError
        return "done"

    async with on_stage(tmp_path, bot) as stage:
        await stage.say("a")
        assert await stage.replies(2) == ["one moment", "done"]
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["a", "one moment\n\ndone"]
    assert stage.adapter.said() == ["one moment", "done"]


async def test_interrupting_answers_both_messages_once(tmp_path: Path) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(lambda request: str(request.messages[-1].content), gate=gate)
    async with on_stage(tmp_path, completion=completion, overlap="interrupt") as stage:
        await stage.say("first")
        await until(lambda: completion.counts.running == 1)
        await stage.say("second")
        await until(lambda: completion.counts.started == 2)
        gate.set()
        assert await stage.replies(1) == ["second"]
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["first", "second", "second"]
    assert completion.counts.cancelled == 1


async def test_messages_in_a_row_are_merged(tmp_path: Path) -> None:
    async with on_stage(tmp_path, overlap="merge", merge_window=0.3) as stage:
        for text in ("a", "b", "c"):
            await stage.say(text)
        assert await stage.replies(1) == ["3 messages; you said: c"]
        await stage.idle()
    assert len(stage.adapter.sent) == 1


async def test_draining_gives_back_what_does_not_end_and_another_process_goes_on(
    tmp_path: Path,
) -> None:
    gate = asyncio.Event()
    held = ScriptedCompletion(["never"], gate=gate)
    async with on_stage(tmp_path, completion=held, drain_seconds=3.2) as stage:
        await stage.say("hello")
        await until(lambda: held.counts.running == 1)
    assert held.counts.cancelled == 1
    assert stage.adapter.sent == []
    async with on_stage(tmp_path) as again:
        assert await again.replies(1) == ["1 messages; you said: hello"]
