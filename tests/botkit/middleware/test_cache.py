"""The reply cache in a whole bot: who shares replies, what they cost, and what breaks nothing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from stage import PATIENCE, Stage, on_stage
from waiting import until

from botkit.bot import Bot
from botkit.completion.messages import message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import OverloadedError
from botkit.turn import Turn
from botkit.types import Sender

WHERE = ["memory", "redis"]


def answer(text: str) -> str:
    return f"the answer to {text}"


def model(**fields: Any) -> ScriptedCompletion:
    """Answers the last message; what it says depends on nothing else."""
    return ScriptedCompletion(
        lambda request: answer(message_text(request.messages[-1])),  # type: ignore[union-attr]
        **fields,
    )


@pytest.fixture(params=WHERE)
def redis_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "memory":
        return None
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


async def asked(stage: Stage, text: str, channel: str, who: str = "u1") -> str:
    """The only answer to the first message of a conversation."""
    await stage.say(text, channel, sender=Sender(who))
    (said,) = await stage.replies(1, channel)
    return said


def outcomes(stage: Stage) -> dict[str, float]:
    names = ("hit", "miss", "shared", "uncacheable")
    counted = {name: stage.counted("botkit_cache_requests_total", outcome=name) for name in names}
    return {name: count for name, count in counted.items() if count}


def gauge(stage: Stage, name: str) -> float:
    """The value of a metric without labels."""
    lines = stage.application.metrics.text().decode().splitlines()
    return next(float(line.split(" ")[1]) for line in lines if line.startswith(f"{name} "))


async def test_an_exact_repeat_costs_nothing(tmp_path: Path, redis_url: str | None) -> None:
    completion = model()
    async with on_stage(tmp_path, completion=completion, redis_url=redis_url) as stage:
        for channel in ("c1", "c2", "c3"):
            assert await asked(stage, "hello", channel) == answer("hello")
        assert await asked(stage, "hello!", "c4") == answer("hello!")
        assert outcomes(stage) == {"hit": 2, "miss": 2}
        assert gauge(stage, "botkit_cache_entries") == 2
        assert gauge(stage, "botkit_cache_bytes") > 0
    assert completion.counts.started == 2


async def test_nobody_is_given_what_was_written_for_another(
    tmp_path: Path, redis_url: str | None
) -> None:
    completion = model()
    async with on_stage(tmp_path, completion=completion, redis_url=redis_url) as stage:
        for number in range(3):
            await asked(stage, "hello", f"c{number}", f"u{number}")
    assert completion.counts.started == 3


async def test_what_is_public_is_everybodys(tmp_path: Path, redis_url: str | None) -> None:
    completion = model()
    bot = Bot()

    @bot.message("hours")
    async def hours(turn: Turn) -> str:
        turn.public = True
        return await turn.ask()

    async with on_stage(tmp_path, bot, completion=completion, redis_url=redis_url) as stage:
        for number in range(3):
            await asked(stage, "opening hours?", f"c{number}", f"u{number}")
        assert completion.counts.started == 1
        for number in range(3):
            await asked(stage, "else", f"d{number}", f"u{number}")
    assert completion.counts.started == 4


async def test_a_hundred_equal_questions_at_once_cost_one_generation(
    tmp_path: Path, redis_url: str | None
) -> None:
    gate = asyncio.Event()
    completion = model(gate=gate)
    async with on_stage(
        tmp_path,
        completion=completion,
        redis_url=redis_url,
        cache_scope="public",
        concurrent_turns=100,
    ) as stage:
        asking = [
            asyncio.create_task(asked(stage, "hello", f"c{number}", f"u{number}"))
            for number in range(100)
        ]
        await until(lambda: gauge(stage, "botkit_conversations_running") == 100, within=20)
        await until(lambda: completion.counts.running == 1, within=20)
        gate.set()
        assert await asyncio.gather(*asking) == [answer("hello")] * 100
        shared = outcomes(stage)
        assert shared.pop("miss") == 1
        assert sum(shared.values()) == 99
    assert completion.counts.started == 1


async def test_the_last_turn_that_is_interrupted_frees_the_model(
    tmp_path: Path, redis_url: str | None
) -> None:
    gate = asyncio.Event()
    completion = model(gate=gate)
    settings = {"cache_scope": "public", "overlap": "interrupt", "redis_url": redis_url}
    async with on_stage(tmp_path, completion=completion, **settings) as stage:
        await stage.say("first", "c1")
        await stage.say("first", "c2")
        await until(lambda: gauge(stage, "botkit_conversations_running") == 2)
        await until(lambda: completion.counts.running == 1)
        await stage.say("second", "c1")
        await until(lambda: completion.counts.started == 2)
        assert completion.counts.cancelled == 0
        await stage.say("third", "c2")
        await until(lambda: completion.counts.started == 3)
        assert completion.counts.cancelled == 1
        gate.set()
        assert await stage.replies(1, "c1") == [answer("second")]
        assert await stage.replies(1, "c2") == [answer("third")]


async def test_errors_are_not_kept(tmp_path: Path, redis_url: str | None) -> None:
    busy = OverloadedError("full", retry_after=0.01)
    completion = ScriptedCompletion([busy, busy, "at last"])
    async with on_stage(tmp_path, completion=completion, redis_url=redis_url) as stage:
        assert await asked(stage, "hello", "c1") == "at last"
        assert await asked(stage, "hello", "c2") == "at last"
    assert completion.counts.started == 3


async def test_whom_the_bot_forgets_the_cache_forgets(
    tmp_path: Path, redis_url: str | None
) -> None:
    completion = model()
    bot = Bot()

    @bot.command("leave")
    async def leave(turn: Turn) -> str:
        turn.forget()
        return "forgotten"

    settings = {"cache_scope": "public", "redis_url": redis_url}
    async with on_stage(tmp_path, bot, completion=completion, **settings) as stage:
        await asked(stage, "mine", "c1", "u1")
        await asked(stage, "hers", "c2", "u2")
        await stage.say("", "c3", kind="command", name="leave", sender=Sender("u1"))
        assert await stage.replies(1, "c3") == ["forgotten"]
        await asked(stage, "mine", "c4", "u3")
        assert completion.counts.started == 3
        await asked(stage, "hers", "c5", "u3")
    assert completion.counts.started == 3


async def test_the_cache_can_be_switched_off(tmp_path: Path) -> None:
    completion = model()
    async with on_stage(tmp_path, completion=completion, cache_seconds=0) as stage:
        await asked(stage, "hello", "c1")
        await asked(stage, "hello", "c2")
        assert outcomes(stage) == {}
    assert completion.counts.started == 2


@pytest.mark.parametrize("fault", ["kill", "restart", "flush", "freeze", "garbage"])
async def test_whatever_redis_does_every_answer_is_right(
    tmp_path: Path, redis_server: RedisServer, fault: str
) -> None:
    """Two bots under load; a fault after every twenty answers, and its end after ten more."""
    chance = random.Random(7)
    completions = [model(delay=0.001), model(delay=0.001)]
    settings = {
        "cache_scope": "public",
        "redis_url": redis_server.url,
        "redis_timeout": 0.25 if fault == "freeze" else PATIENCE,
    }
    async with (
        on_stage(tmp_path / "a", completion=completions[0], **settings) as one,
        on_stage(tmp_path / "b", completion=completions[1], **settings) as other,
    ):
        answered = 0

        async def person(number: int) -> None:
            nonlocal answered
            for turn in range(6):
                text = f"question {chance.randrange(8)}"
                stage = one if (number + turn) % 2 else other
                said = await asked(stage, text, f"c{number}.{turn}", f"u{number}")
                assert said == answer(text)
                answered += 1
                if answered % 20 == 0:
                    _break(redis_server, fault)
                elif answered % 20 == 10:
                    _mend(redis_server, fault)

        async with asyncio.timeout(120):
            await asyncio.gather(*(person(number) for number in range(20)))
        assert answered == 120
        for stage in (one, other):
            await stage.idle()
            assert await stage.application.store.dead_letters() == []
            assert stage.counted("botkit_turns_total", outcome="retried") == 0
        _mend(redis_server, fault)


def _break(server: RedisServer, fault: str) -> None:
    if fault == "kill" and server.running():
        server.kill()
    elif fault == "restart":
        server.kill()
        server.start()
    elif fault == "flush":
        server.flush()
    elif fault == "freeze":
        server.freeze()
    elif fault == "garbage":
        for name in server.client.keys("botkit:cache:*"):
            server.client.delete(name)
            server.client.set(name, b"\x00 nonsense")


def _mend(server: RedisServer, fault: str) -> None:
    if fault == "kill" and not server.running():
        server.start()
    elif fault == "freeze":
        server.thaw()
