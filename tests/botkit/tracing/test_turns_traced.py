"""A trace of one turn shows every middleware, attempt, token count and time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from opentelemetry.trace import SpanKind, StatusCode
from seen_spans import Seen, facts, seconds
from stage import StageAdapter, on_stage
from strict_judge import Strict
from waiting import until

from botkit import Bot, Turn
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import DeliveryDelayedError, OverloadedError
from botkit.pipeline import CallNext
from botkit.replies import Reply

SECRET = "sesame"
REPLY = "Paris is the capital of France."


async def test_a_regenerated_reply_shows_every_middleware_attempt_token_and_time(
    tmp_path: Path, seen: Seen
) -> None:
    completion = ScriptedCompletion(["Paris Paris Paris Paris ,", REPLY], delay=0.01)
    bot = Bot(middleware=lambda usual: [*usual, judged])
    async with on_stage(tmp_path, bot, completion=completion, tracer=seen.tracer) as stage:
        await stage.say("what is the capital of France?")
        await stage.replies(1)
        await stage.idle()
        lines = (await seen.tree()).splitlines()
    usual = [line.strip() for line in lines if "middleware" in line]
    assert usual.index("middleware observe") < usual.index("middleware history")
    assert usual[-1] == "middleware judged"
    depth = len(usual) + 1
    assert lines == [
        "turn stage",
        *("  " * (place + 1) + name for place, name in enumerate(usual)),
        "  " * depth + "handler default",
        *("  " * (depth + 1) + "attempt", "  " * (depth + 2) + "chat scripted") * 2,
        "  commit",
        "  deliver stage",
    ]

    turn = await seen.one("turn stage")
    told = facts(turn)
    assert len(str(told.pop("botkit.conversation"))) == 12
    assert 0 <= float(str(told.pop("botkit.queue_seconds"))) < 5
    assert told == {
        "botkit.platform": "stage",
        "botkit.event.kind": "message",
        "botkit.events": 1,
        "botkit.attempt": 1,
        "botkit.again": False,
        "botkit.outcome": "answered",
    }
    first, second = [facts(span) for span in await seen.named("attempt")]
    for attempt in (first, second):
        attempt.pop("botkit.cache", None)  # what the cache did is told elsewhere
    assert first == {
        "botkit.attempt": 0,
        "botkit.passed": False,
        "botkit.reason": "unfinished",
    }
    assert second == {"botkit.attempt": 1, "botkit.passed": True}
    asked, again = await seen.named("chat scripted")
    for span, tokens in ((asked, 5), (again, 6)):
        told = facts(span)
        assert str(told.pop("gen_ai.response.id")).startswith("chatcmpl-")
        assert 0.01 <= float(str(told.pop("gen_ai.response.time_to_first_chunk"))) < seconds(span)
        assert int(str(told.pop("gen_ai.usage.input_tokens"))) >= 6
        assert told.pop("gen_ai.usage.output_tokens") == tokens
        assert seconds(span) >= 0.01 * tokens
        assert told["gen_ai.response.finish_reasons"] == ("stop",)
        assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == "scripted"
        assert (told["gen_ai.operation.name"], told["gen_ai.provider.name"]) == ("chat", "botkit")
    assert facts(again)["gen_ai.request.seed"] == 1
    deliver = await seen.one("deliver stage")
    assert deliver.kind is SpanKind.CLIENT
    assert facts(deliver) == {"botkit.attempt": 1, "botkit.outcome": "sent"}
    assert sum(seconds(span) for span in (asked, again)) <= seconds(turn)


async def judged(turn: Turn, call_next: CallNext) -> Reply | None:
    turn.asking = replace(turn.asking, judge=Strict(), attempts=3)
    return await call_next(turn)


async def test_nothing_that_was_said_and_nobodys_id_is_in_a_trace(
    tmp_path: Path, seen: Seen
) -> None:
    bot = Bot()

    @bot.message("fail")
    async def broken(text: str) -> str:
        raise ValueError(f"cannot read {text}")

    completion = ScriptedCompletion([f"you said {SECRET}"])
    async with on_stage(
        tmp_path, bot, completion=completion, tracer=seen.tracer, turn_attempts=1
    ) as stage:
        await stage.say(SECRET, channel="channel-of-ada")
        await stage.say(f"fail {SECRET}", channel="channel-of-ada")
        await stage.replies(2, channel="channel-of-ada")
        await stage.idle()
        text = await seen.text()
        handler = await seen.one("handler broken")
    for private in (SECRET, "channel-of-ada", "Ada", "u1", "you said", "cannot read"):
        assert private not in text, private
    assert handler.status.status_code is StatusCode.ERROR
    assert facts(handler)["error.type"] == "ValueError"


async def test_turns_that_fail_and_come_again_say_so(tmp_path: Path, seen: Seen) -> None:
    busy = OverloadedError("full", retry_after=0.01)
    completion = ScriptedCompletion([busy, "at last"])
    async with on_stage(tmp_path, completion=completion, tracer=seen.tracer) as stage:
        await stage.say("hello")
        await stage.replies(1)
        await stage.idle()
        turns = [facts(span) for span in await seen.named("turn stage")]
        asked = [facts(span) for span in await seen.named("chat scripted")]
    assert [turn["botkit.outcome"] for turn in turns] == ["retried", "answered"]
    assert turns[0]["error.type"] == "OverloadedError"
    assert turns[0]["botkit.conversation"] == turns[1]["botkit.conversation"]
    assert asked[0]["error.type"] == "OverloadedError"
    assert "error.type" not in asked[1]


async def test_interim_replies_are_parts_and_late_deliveries_traces_of_their_own(
    tmp_path: Path, seen: Seen
) -> None:
    bot = Bot()

    @bot.default
    async def slow(turn: Turn) -> str:
        with turn.part("look up", botkit__rows=3):
            await turn.reply("one moment")
        return "done"

    adapter = StageAdapter(failures=[None, DeliveryDelayedError("ratelimited", 0.05)])
    async with on_stage(tmp_path, bot, adapter=adapter, tracer=seen.tracer) as stage:
        await stage.say("hello")
        await stage.replies(2)
        await stage.idle()
        lines = (await seen.tree()).splitlines()
        interim, delayed, late = await seen.named("deliver stage")
        looked_up = await seen.one("look up")
    assert [line for line in lines if not line.startswith(" ")] == ["turn stage", "deliver stage"]
    assert [facts(span)["botkit.outcome"] for span in (interim, delayed, late)] == [
        "sent",
        "delayed",
        "sent",
    ]
    assert interim.parent is not None
    assert late.parent is None
    assert facts(looked_up)["botkit.rows"] == 3


async def test_an_interrupted_turn_is_no_error(tmp_path: Path, seen: Seen) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["an answer"], gate=gate)
    async with on_stage(
        tmp_path, completion=completion, tracer=seen.tracer, overlap="interrupt"
    ) as stage:
        await stage.say("first")
        await until(lambda: completion.counts.running == 1)
        await stage.say("second")
        await until(lambda: completion.counts.started == 2)
        gate.set()
        await stage.replies(1)
        await stage.idle()
        first, second = await seen.named("turn stage")
        asked = (await seen.named("chat scripted"))[0]
    assert facts(first)["botkit.outcome"] == "interrupted"
    assert facts(second)["botkit.events"] == 2
    assert asked.status.status_code is StatusCode.UNSET
    assert facts(asked)["botkit.cancelled"] is True


async def test_two_questions_at_a_time_are_told_apart(tmp_path: Path, seen: Seen) -> None:
    bot = Bot()

    @bot.default
    async def both(turn: Turn) -> str:
        return " ".join(await asyncio.gather(turn.ask("a"), turn.ask("b")))

    completion = ScriptedCompletion(["one two three."], delay=0.005)
    async with on_stage(tmp_path, bot, completion=completion, tracer=seen.tracer) as stage:
        await stage.say("hello")
        await stage.replies(1)
        await stage.idle()
        lines = (await seen.tree()).splitlines()
    one = ["attempt", "chat scripted"]
    assert [line.strip() for line in lines[-7:]] == [
        "handler both",
        *one,
        *one,
        "commit",
        "deliver stage",
    ]
