"""A message that takes another's place, and a reply that the person stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from stage import Stage, StageAdapter, StagePreview, event, on_stage
from waiting import until

from botkit.adapter import Capabilities, Holds, Preview, SavePreview
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Reply
from botkit.turn import Turn
from botkit.types import Event, Json, Sender


def what_was_shown(request: object) -> str:
    messages = request.messages  # type: ignore[attr-defined]
    return " | ".join(str(each.content) for each in messages)


async def said(stage: Stage, text: str, message_id: str, **fields: object) -> str:
    sent = len(stage.adapter.said())
    await stage.say(text, message_id=message_id, **fields)
    await stage.replies(sent + 1)
    await stage.idle()
    return stage.adapter.said()[-1]


async def test_a_corrected_message_takes_the_others_place(tmp_path: Path) -> None:
    completion = ScriptedCompletion(what_was_shown)
    async with on_stage(tmp_path, completion=completion) as stage:
        assert await said(stage, "one", "m1") == "one"
        assert await said(stage, "two", "m2") == "one | one | two"
        assert await said(stage, "2", "m3", replaces="m2") == "one | one | 2"
        assert await said(stage, "2", "m4", replaces="m3") == "one | one | 2", "asked again"
        assert await said(stage, "1", "m5", replaces="m1") == "1", "with all that came after"
        assert await said(stage, "more", "m6", replaces="unknown") == "1 | 1 | more"


async def test_nobody_takes_back_what_another_said(tmp_path: Path) -> None:
    completion = ScriptedCompletion(what_was_shown)
    async with on_stage(tmp_path, completion=completion) as stage:
        await said(stage, "one", "m1")
        answer = await said(stage, "mine", "m2", replaces="m1", sender=Sender("u2", "Bob"))
        assert answer == "one | one | mine"


async def test_a_message_that_still_waits_is_answered_and_then_replaced(tmp_path: Path) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(what_was_shown, gate=gate)
    async with on_stage(tmp_path, completion=completion) as stage:
        await stage.say("first", message_id="m1")
        await until(lambda: completion.counts.running == 1)
        await stage.say("second", message_id="m2", replaces="m1")
        gate.set()
        assert await stage.replies(2) == ["first", "second"]


@dataclass
class StoppablePreview(StagePreview):
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def stopped(self) -> None:
        await self.stop.wait()


@dataclass
class StoppableStage(StageAdapter):
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    rendered: list[Reply] = field(default_factory=list)
    saves: bool = False

    def preview(
        self, event: Event, *, saved: Json | None, save: SavePreview, holds: Holds
    ) -> Preview:
        return _Saving(self.shown, self.stop, save if self.saves else None)

    def render(self, reply: Reply, event: Event, *, saved: Json | None = None) -> list[Json]:
        self.rendered.append(reply)
        return list(super().render(reply, event, saved=saved))


@dataclass
class _Saving(StoppablePreview):
    save: SavePreview | None = None

    async def stopped(self) -> None:
        if self.save is not None:
            await self.save({"preview": 1})
        await super().stopped()


@pytest.mark.parametrize("overlap", ["queue", "interrupt"])
async def test_what_is_shown_when_the_person_stops_is_the_reply(
    tmp_path: Path, overlap: str
) -> None:
    adapter = StoppableStage(capabilities=Capabilities(streams=True))
    completion = ScriptedCompletion(["one two three four five six"], delay=0.05)
    async with on_stage(tmp_path, completion=completion, adapter=adapter, overlap=overlap) as stage:
        await stage.say("count")
        await until(lambda: bool(adapter.shown))
        adapter.stop.set()
        (reply,) = await stage.replies(1)
        await stage.idle()
        assert "one two three four five six".startswith(reply)
        assert len(reply) < len("one two three four five six")
        assert adapter.shown[-1] == "closed"
        assert completion.counts.cancelled == 1, "the model writes no more"
        adapter.stop.clear()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["count", reply], "it goes on from there"


async def test_a_reply_that_is_stopped_before_it_begins_is_none(tmp_path: Path) -> None:
    adapter = StoppableStage(capabilities=Capabilities(streams=True), saves=True)
    completion = ScriptedCompletion(["never"], gate=asyncio.Event())
    async with on_stage(tmp_path, completion=completion, adapter=adapter) as stage:
        await stage.say("hello")
        await until(lambda: completion.counts.running == 1)
        adapter.stop.set()
        await stage.replies(1)
        await stage.idle()
        assert [reply.text for reply in adapter.rendered] == [""], "it takes the preview away"
        assert stage.counted("botkit_turns_total", outcome="answered") == 1


async def test_a_handler_that_streams_is_stopped_too(tmp_path: Path) -> None:
    bot = Bot()
    closed: list[str] = []

    @bot.default
    async def count(turn: Turn) -> AsyncIterator[str]:
        try:
            for number in range(1000):
                yield f"{number} "
                await asyncio.sleep(0.02)
        finally:
            closed.append("closed")

    adapter = StoppableStage(capabilities=Capabilities(streams=True))
    async with on_stage(tmp_path, bot, adapter=adapter) as stage:
        await stage.say("count")
        await until(lambda: len(adapter.shown) > 2)
        adapter.stop.set()
        (reply,) = await stage.replies(1)
        assert reply.startswith("0 1 ")
        assert closed == ["closed"]


async def test_a_handler_that_fails_fails_where_it_may_be_stopped(tmp_path: Path) -> None:
    bot = Bot()
    tried: list[int] = []

    @bot.default
    async def fail(turn: Turn) -> AsyncIterator[str]:
        tried.append(1)
        if len(tried) < 2:
            raise RuntimeError("at first")
        yield "at last"

    adapter = StoppableStage(capabilities=Capabilities(streams=True))
    async with on_stage(tmp_path, bot, adapter=adapter) as stage:
        await stage.say("try")
        assert await stage.replies(1) == ["at last"]


async def test_a_handler_that_only_works_is_cancelled_and_what_was_said_stays_said(
    tmp_path: Path,
) -> None:
    bot = Bot()
    began = asyncio.Event()
    ended: list[str] = []

    @bot.message("^work$")
    async def work(turn: Turn) -> str:
        await turn.reply("I begin.")
        try:
            began.set()
            await asyncio.sleep(600)
        finally:
            ended.append("ended")
        return "never"

    adapter = StoppableStage(capabilities=Capabilities(streams=True), saves=True)
    completion = ScriptedCompletion(what_was_shown)
    async with on_stage(tmp_path, bot, adapter=adapter, completion=completion) as stage:
        await stage.say("work")
        await began.wait()
        adapter.stop.set()
        await stage.replies(2)
        await stage.idle()
        assert ended == ["ended"]
        assert [reply.text for reply in adapter.rendered] == ["I begin.", ""]
        adapter.stop.clear()
        assert await said(stage, "go on", "m2") == "work | I begin. | go on"


async def test_who_hands_off_answers_when_a_person_is_asked_for(tmp_path: Path) -> None:
    bot = Bot()

    @bot.hand_off
    async def hand_off(turn: Turn, reason: str) -> str | None:
        return None if turn.text == "quietly" else f"A colleague will write to you ({reason})."

    assert "human" in [each.name for each in bot.commands]
    async with on_stage(tmp_path, bot) as stage:
        await stage.hear(event("", kind="command", name="human"))
        await stage.hear(event("quietly", kind="command", name="human"))
        assert await stage.replies(2) == [
            "A colleague will write to you (asked).",
            "Sorry, nobody can take over at the moment.",
        ]


async def test_a_command_of_the_bots_own_for_a_person_stays(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("human")
    async def human() -> str:
        return "mine"

    @bot.hand_off
    async def hand_off(turn: Turn, reason: str) -> str:
        return "not asked"

    async with on_stage(tmp_path, bot) as stage:
        await stage.hear(event("", kind="command", name="human"))
        assert await stage.replies(1) == ["mine"]
