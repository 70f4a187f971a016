"""A turn's timeline shows every middleware, attempt and token, and why things went as they did."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stage import StageAdapter
from strict_judge import Strict
from waiting import until

from botkit import Bot, Turn
from botkit.completion.scripted import ScriptedCompletion
from botkit.console.recorder import Recorder
from botkit.console.story import own_seconds, story
from botkit.errors import DeliveryDelayedError, DeliveryRefusedError, OverloadedError
from botkit.pipeline import CallNext
from botkit.replies import Reply
from botkit.types import ConversationKey

REPLY = "Paris is the capital of France."


async def judged(turn: Turn, call_next: CallNext) -> Reply | None:
    turn.asking = replace(turn.asking, judge=Strict(), attempts=2)
    return await call_next(turn)


async def gatekeeper(turn: Turn, call_next: CallNext) -> Reply | None:
    return Reply("closed")


def sentences(turn: dict[str, Any]) -> list[str]:
    """But for those of a slow machine."""
    return [each["text"] for each in turn["story"] if each["mood"] != "slow"]


def named(turn: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in turn["spans"] if each["name"].startswith(name)]


async def test_a_regenerated_reply(console: Any) -> None:
    completion = ScriptedCompletion(["Paris Paris ,", REPLY], delay=0.01)
    bot = Bot(middleware=lambda usual: [*usual, judged])
    async with console(bot, completion=completion) as opened:
        await opened.stage.say("what is the capital of France?")
        await opened.stage.replies(1)
        await opened.stage.idle()
        turn = await opened.last_turn()
    names = [each["name"] for each in turn["spans"]]
    layers = [name for name in names if name.startswith("middleware ")]
    assert {"middleware limits", "middleware observe", "middleware history"} <= set(layers)
    assert layers[-1] == "middleware judged"
    tail = ["handler default", *("attempt", "chat scripted") * 2, "commit", "deliver stage"]
    assert names == ["turn stage", *layers, *tail]
    assert [each["depth"] for each in turn["spans"][: len(layers) + 2]] == list(
        range(len(layers) + 2)
    )
    first, second = named(turn, "attempt")
    assert first["attributes"]["botkit.reason"] == "unfinished"
    assert second["attributes"]["botkit.passed"] is True
    asked, again = named(turn, "chat")
    assert asked["attributes"]["gen_ai.usage.output_tokens"] == 3
    assert again["attributes"]["gen_ai.usage.output_tokens"] == 6
    assert again["attributes"]["gen_ai.usage.input_tokens"] >= 6
    assert again["attributes"]["gen_ai.usage.cache_read.input_tokens"] == 0
    assert asked["attributes"]["gen_ai.response.time_to_first_chunk"] >= 0.01
    assert turn["tokens"]["output"] == 9
    assert (turn["attempts"], turn["failed_attempts"], turn["outcome"]) == (2, 1, "answered")
    assert turn["first_token"] < turn["reply"]
    assert turn["length"] >= turn["seconds"]
    assert sentences(turn) == ["Attempt 1 did not pass: unfinished."]
    assert "Paris" not in str(turn)


async def test_a_reply_of_which_no_attempt_passed(console: Any) -> None:
    bot = Bot()

    @bot.hand_off
    async def person(turn: Turn, reason: str) -> str:
        return "somebody will write to you"

    async with console(bot, completion=ScriptedCompletion([""])) as opened:
        await opened.stage.say("hello")
        assert await opened.stage.replies(1) == ["somebody will write to you"]
        await opened.stage.idle()
        turn = await opened.last_turn()
    assert sentences(turn)[0].startswith("No attempt passed (empty)")
    assert [text for text in sentences(turn) if "did not pass" in text] == [
        "Attempt 1 did not pass: empty.",
        "Attempt 2 did not pass: empty.",
    ]


async def test_a_cached_reply(console: Any) -> None:
    completion = ScriptedCompletion([REPLY])
    bot = Bot()

    @bot.default
    async def ask(turn: Turn) -> str:
        return await turn.ask(temperature=0)

    async with console(bot, completion=completion) as opened:
        for number in range(2):
            await opened.stage.say("what is the capital of France?", channel=f"c{number}")
            await opened.stage.replies(1, channel=f"c{number}")
            await opened.stage.idle()
        turn = await opened.last_turn()
    assert completion.counts.started == 1
    assert turn["cache"] == "hit"
    assert named(turn, "chat") == []
    assert turn["tokens"] == {"input": 0, "output": 0, "cached": 0}
    assert turn["first_token"] is None
    assert sentences(turn) == ["Attempt 1 came from the cache: no model was asked."]


async def test_a_turn_that_a_limit_refused(console: Any) -> None:
    async with console(limit_user="1/minute") as opened:
        await opened.stage.say("hello")
        await opened.stage.say("hello again")
        await opened.stage.replies(2)
        await opened.stage.idle()
        turn = await opened.last_turn()
    assert turn["refused"] == "user rate"
    assert named(turn, "handler") == named(turn, "attempt") == []
    (layer,) = named(turn, "middleware limits")
    assert layer["attributes"] == {"botkit.limited": "user rate"}
    assert sentences(turn) == ["A limit refused it: user rate."]


@pytest.mark.parametrize(
    ("said", "direction", "sentence"),
    [
        ("tell me of sesame", "input", "Moderation stopped what the person wrote."),
        ("tell me", "output", "Moderation stopped what the bot would say."),
    ],
)
async def test_a_turn_that_moderation_stopped(
    console: Any, tmp_path: Path, said: str, direction: str, sentence: str
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("sesame\n", encoding="utf-8")
    completion = ScriptedCompletion(["open sesame now"])
    async with console(completion=completion, moderation_file=words) as opened:
        await opened.stage.say(said)
        await opened.stage.replies(1)
        await opened.stage.idle()
        turn = await opened.last_turn()
    assert turn["refused"] == direction
    assert sentence in sentences(turn)
    assert "sesame" not in str(turn)


async def test_a_turn_that_a_middleware_answered(console: Any) -> None:
    async with console(Bot(middleware=[gatekeeper])) as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()
        turn = await opened.last_turn()
    assert sentences(turn) == ["No handler was called: the middleware gatekeeper answered."]


async def test_a_turn_that_failed_and_came_again(console: Any) -> None:
    busy = OverloadedError("full of sesame", retry_after=0.01)
    async with console(completion=ScriptedCompletion([busy, "at last"])) as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()
        again, first = (await opened.get("turns"))["turns"]
        first = await opened.get(f"turns/{first['id']}")
        again = await opened.get(f"turns/{again['id']}")
    assert (first["outcome"], again["outcome"]) == ("retried", "answered")
    assert "The model could not answer: OverloadedError." in sentences(first)
    assert "The turn failed, and is tried again later." in sentences(first)
    assert "sesame" not in str(first)


async def test_a_handler_that_failed_for_good(console: Any) -> None:
    bot = Bot()

    @bot.default
    async def broken(text: str) -> str:
        raise ValueError("sesame")

    async with console(bot, turn_attempts=2) as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()
        turn = await opened.last_turn()
    assert turn["outcome"] == "dead"
    assert sentences(turn) == [
        "This is try 2: an earlier one did not end.",
        "“handler broken” failed: ValueError.",
        "The turn was given up: it is a dead letter.",
    ]


async def test_deliveries_that_failed(console: Any) -> None:
    failures = [DeliveryDelayedError("ratelimited", 0.05), None, DeliveryRefusedError("gone")]
    async with console(adapter=StageAdapter(failures=failures)) as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()
        late, turn = (await opened.get("turns"))["turns"]
        assert late["name"] == "deliver stage"
        assert late["conversation"]["channel"] == "c1"
        late = await opened.get(f"turns/{late['id']}")
        turn = await opened.get(f"turns/{turn['id']}")
        await opened.stage.say("hello")
        await until(lambda: opened.stage.adapter.deliveries == 3)
        await opened.stage.idle()
        refused = await opened.last_turn()
    assert sentences(turn) == ["stage did not take the message (try 1): it is sent again."]
    assert sentences(late) == ["stage took the message at try 2."]
    assert sentences(refused) == ["stage refused the message for good."]


async def test_an_interrupted_turn(console: Any) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["an answer"], gate=gate)
    async with console(completion=completion, overlap="interrupt") as opened:
        await opened.stage.say("first")
        await until(lambda: completion.counts.running == 1)
        await opened.stage.say("second")
        await until(lambda: completion.counts.started == 2)
        gate.set()
        await opened.stage.replies(1)
        await opened.stage.idle()
        both, first = (await opened.get("turns"))["turns"]
        first = await opened.get(f"turns/{first['id']}")
        both = await opened.get(f"turns/{both['id']}")
    assert "Another message came: both are answered together." in sentences(first)
    assert "It answers 2 messages together." in sentences(both)


def test_where_most_of_a_long_turn_went() -> None:
    recorder = Recorder()
    with recorder.begin("turn stage", botkit__queue_seconds=3.0) as turn:
        with turn.child("handler slow") as part:
            part.child("look up").end()
        turn.child("handler quick").end()
    (kept,) = recorder.recordings()
    times = {"turn stage": (0, 4), "handler slow": (0, 3), "look up": (1, 1.5)}
    for span in kept.spans:
        span.began, span.ended = times.get(span.name, (2.5, 3.5))
    assert [own_seconds(kept, span) for span in kept.spans] == [0.5, 2.5, 0.5, 1.0]
    assert [each.text for each in story(kept)] == [
        "It waited 3.0 s before a turn took it.",
        "“handler slow” took 2.5 s of 4.0 s.",
    ]


async def test_a_turn_leads_to_its_conversation_by_the_name_that_traces_have(
    console: Any, tmp_path: Path
) -> None:
    async with console(secret_key="a key of the bot") as opened:
        await opened.stage.say("hello", channel="channel-of-ada")
        await opened.stage.replies(1, channel="channel-of-ada")
        await opened.stage.idle()
        turn = await opened.last_turn()
        key = str(ConversationKey("stage", "s", "channel-of-ada"))
        told = await opened.get("conversation", key=key)
    assert turn["conversation"]["key"] == key
    assert turn["pseudonym"] == told["pseudonym"]
    assert turn["spans"][0]["attributes"]["botkit.conversation"] == turn["pseudonym"]
    assert "channel-of-ada" not in str(turn["spans"])
