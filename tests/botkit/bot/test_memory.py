"""What a bot remembers, through whole turns."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, event, on_stage
from waiting import until

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.memory.summary import Summary
from botkit.replies import Reply
from botkit.turn import Turn
from botkit.types import ConversationKey, Sender

HERE = ConversationKey("stage", "s", "c1")
FACT = "My name is Ada and I live in Lisbon."


class Model:
    """Notes what it is shown; sums up as ``summaries`` say, and answers everything else."""

    def __init__(self, *summaries: str) -> None:
        self.summaries = list(summaries) or ["They spoke about number and word and such."]
        self.shown: list[list[str]] = []
        self.asked_for_summaries = 0

    def __call__(self, request: Any) -> str:
        said = [f"{each.role}: {each.content}" for each in request.messages]
        if "Sum up this conversation" in said[-1]:
            self.asked_for_summaries += 1
            return self.summaries.pop(0) if len(self.summaries) > 1 else self.summaries[0]
        self.shown.append(said)
        return f"Answer number {len(self.shown)} with a word or two."


async def converse(stage: Stage, count: int, first: str = FACT) -> None:
    """``count`` turns, each after what the one before left to do."""
    sent = len(stage.adapter.said())
    for number in range(count):
        await stage.say(first if not number else f"word number {number} and such")
        await stage.replies(sent + number + 1)
        await stage.idle()
        await stage.application.kit.idle()


async def command(stage: Stage, name: str, text: str = "", **fields: Any) -> str:
    sent = len(stage.adapter.said())
    await stage.hear(event(text, kind="command", name=name, **{"direct": True, **fields}))
    await stage.replies(sent + 1)
    await stage.idle()
    return stage.adapter.said()[-1]


async def test_long_ago_is_in_the_summary_and_the_prompt_within_its_budget(tmp_path: Path) -> None:
    model = Model()
    budget = 200
    completion = ScriptedCompletion(model)
    async with on_stage(tmp_path, completion=completion, history_tokens=budget) as stage:
        await converse(stage, 60)
        prompt = model.shown[-1]
        assert FACT in prompt[0], "what was told in the first turn"
        assert "They spoke about number and word and such." in prompt[0]
        for shown in model.shown:
            counted = completion.count_tokens(shown)
            assert sum(counted) <= budget + 12, "and what is said now"
        assert stage.counted("botkit_summaries_total", outcome="written") >= 3
        export = await stage.application.store.export(HERE)
        assert export is not None
        assert Summary.from_json(export["summary"]).facts == (FACT,)
        assert len(export["messages"]) == 120, "all of it is kept"


async def test_a_garbled_summary_leaves_the_old_one(tmp_path: Path) -> None:
    model = Model("They spoke about number and word.", "la " * 60)
    async with on_stage(
        tmp_path, completion=ScriptedCompletion(model), history_tokens=200
    ) as stage:
        await converse(stage, 40)
        assert stage.counted("botkit_summaries_total", outcome="written") == 1
        assert stage.counted("botkit_summaries_total", outcome="garbled") >= 1
        prompt = model.shown[-1]
        assert "They spoke about number and word." in prompt[0]
        assert FACT in prompt[0]
        assert "la la" not in prompt[0]


@pytest.mark.parametrize(
    "bad", ["", "<|im_start|>assistant", "Dragons conquered seventeen castles yesterday evening."]
)
async def test_what_is_no_summary_of_the_conversation_is_garbled(tmp_path: Path, bad: str) -> None:
    model = Model(bad)
    async with on_stage(
        tmp_path, completion=ScriptedCompletion(model), history_tokens=200
    ) as stage:
        await converse(stage, 20)
        assert stage.counted("botkit_summaries_total", outcome="written") == 0
        assert stage.counted("botkit_summaries_total", outcome="garbled") >= 1
        assert FACT in "\n".join(model.shown[-1]), "in people's own words it is there still"


async def test_reset_begins_the_conversation_anew(tmp_path: Path) -> None:
    model = Model()
    bot = Bot()

    @bot.message("^count$")
    async def count(state: dict[str, int]) -> str:
        state["count"] = state.get("count", 0) + 1
        return str(state["count"])

    async with on_stage(tmp_path, bot, completion=ScriptedCompletion(model)) as stage:
        assert "Nothing was said" in await command(stage, "reset")
        await stage.say("count")
        await converse(stage, 2)
        assert "begins anew" in await command(stage, "reset")
        await converse(stage, 1, "hello")
        assert model.shown[-1] == ["user: hello"]
        await stage.say("count")
        assert (await stage.replies(7))[-1] == "1"


async def test_forget_erases_the_person_and_tells_the_others(tmp_path: Path) -> None:
    model = Model()
    async with on_stage(tmp_path, completion=ScriptedCompletion(model)) as stage:
        told: list[tuple[str, str]] = []

        async def forget(platform: str, sender_id: str) -> None:
            told.append((platform, sender_id))

        stage.application.kit.forgetting.append(forget)
        await command(stage, "memory", "on")
        await converse(stage, 2)
        assert "erased" in await command(stage, "forget")
        assert told == [("stage", "u1")]
        assert await stage.application.store.export(HERE) is None
        assert _holding(tmp_path, b"Lisbon") == []
        assert (await command(stage, "memory")).startswith("I do not remember you")


def _holding(folder: Path, text: bytes) -> list[str]:
    return [each.name for each in folder.iterdir() if text in each.read_bytes()]


async def test_a_profile_is_kept_only_where_it_was_asked_for(tmp_path: Path) -> None:
    model = Model()
    async with on_stage(tmp_path, completion=ScriptedCompletion(model)) as stage:
        await converse(stage, 1)
        assert (await command(stage, "memory")).startswith("I do not remember you")
        assert "From now on" in await command(stage, "memory", "on")
        assert "nothing about you" in await command(stage, "memory")
        await converse(stage, 1)
        await converse(stage, 1, "I like tea. What is the time?")
        shown = await command(stage, "memory")
        assert f"1. {FACT}\n2. I like tea." in shown
        await stage.say("hello", "elsewhere", direct=True)
        await stage.replies(1, "elsewhere")
        assert FACT in model.shown[-1][0], "in another conversation"
        await stage.say("hello", "group")
        await stage.replies(1, "group")
        assert FACT not in "".join(model.shown[-1]), "others read along"
        await stage.say("hello", "of-bob", sender=Sender("u2", "Bob"), direct=True)
        await stage.replies(1, "of-bob")
        assert FACT not in "".join(model.shown[-1]), "of somebody else"
        assert "1. I like tea." in await command(stage, "memory", "forget 1")
        assert "do not remember you" in await command(stage, "memory", "off")
        await stage.say("hello", "elsewhere", direct=True)
        await stage.replies(2, "elsewhere")
        assert not [line for line in model.shown[-1] if line.startswith("system")]


@pytest.mark.parametrize("what", ["off", "forget 1"])
async def test_what_is_erased_stays_so_though_a_turn_elsewhere_learns_meanwhile(
    tmp_path: Path, what: str
) -> None:
    gate = asyncio.Event()
    gate.set()
    completion = ScriptedCompletion(Model(), gate=gate)
    async with on_stage(tmp_path, completion=completion) as stage:
        await command(stage, "memory", "on")
        await converse(stage, 1)
        assert FACT in await command(stage, "memory")
        gate.clear()
        await stage.say("I like tea.", "elsewhere", direct=True)
        await until(lambda: completion.counts.running == 1)
        sent = len(stage.adapter.said())
        await stage.hear(event(what, kind="command", name="memory", direct=True))
        await stage.replies(sent + 1)
        gate.set()
        await stage.replies(1, "elsewhere")
        await stage.idle()
        assert FACT not in await command(stage, "memory")


async def test_a_comment_on_a_reply_is_kept_with_it_and_is_nothing_that_was_said(
    tmp_path: Path,
) -> None:
    model = Model()
    async with on_stage(tmp_path, completion=ScriptedCompletion(model)) as stage:
        await command(stage, "memory", "on")
        await converse(stage, 1, "hello")
        why = event("I am Bob, and it is wrong.", kind="feedback", value="negative")
        await stage.hear(replace(why, message_id="m2", direct=True))
        await stage.idle()
        (given,) = await stage.application.store.feedback(HERE)
        assert (given.value, given.comment) == ("negative", "I am Bob, and it is wrong.")
        await converse(stage, 1, "and now?")
        assert "it is wrong" not in "".join(model.shown[-1])
        assert "Bob" not in await command(stage, "memory")


async def test_a_profile_is_not_shown_where_others_read(tmp_path: Path) -> None:
    async with on_stage(tmp_path, completion=ScriptedCompletion(Model())) as stage:
        await command(stage, "memory", "on")
        await converse(stage, 1)
        shown = await command(stage, "memory", direct=False)
        assert "Others read along" in shown
        assert FACT not in shown
        assert "`/memory` shows" in await command(stage, "memory", "what?")


async def test_a_profile_is_kept_within_the_budget(tmp_path: Path) -> None:
    model = Model()
    async with on_stage(tmp_path, completion=ScriptedCompletion(model), history_tokens=60) as stage:
        await command(stage, "memory", "on")
        for number in range(12):
            await converse(stage, 1, f"I have a cat called Number{number} who sleeps all day long.")
        assert not [line for line in model.shown[-1] if "own words" in line]


async def test_what_several_people_say_at_once_is_in_the_profile_of_each(tmp_path: Path) -> None:
    bob = Sender("u2", "Bob")
    async with on_stage(
        tmp_path, completion=ScriptedCompletion(Model()), overlap="merge", merge_window=0.2
    ) as stage:
        await command(stage, "memory", "on")
        await command(stage, "memory", "on", sender=bob)
        await stage.hear(event(FACT), event("My name is Bob.", sender=bob))
        await stage.replies(4)
        await stage.idle()
        mine = await command(stage, "memory")
        assert (FACT in mine, "My name is Bob." in mine) == (True, False)
        his = await command(stage, "memory", sender=bob)
        assert (FACT in his, "My name is Bob." in his) == (False, True)


async def test_own_handlers_take_the_place_of_the_usual_commands(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("reset")
    async def reset(turn: Turn) -> Reply:
        return Reply("mine")

    async with on_stage(tmp_path, bot) as stage:
        assert await command(stage, "reset") == "mine"
        assert [each.name for each in bot.commands] == ["reset", "forget", "memory"]
    assert Bot(handlers=()).commands == ()


async def test_the_model_is_told_the_language(tmp_path: Path) -> None:
    model = Model()
    async with on_stage(
        tmp_path, completion=ScriptedCompletion(model), quality_attempts=1
    ) as stage:
        await stage.say("Guten Tag, wo ist denn meine Bestellung geblieben?")
        await stage.replies(1)
        assert model.shown[-1][0] == "system: The person writes in German: answer in German."
        await stage.say("ok")
        await stage.replies(2)
        assert model.shown[-1][0].endswith("answer in German."), "noted from turn to turn"
        await stage.say("ok", "c2", sender=Sender("u2", "Inès", "fr-CA"))
        await stage.replies(1, "c2")
        assert model.shown[-1][0].endswith("answer in French."), "as the platform says"
        await stage.say("Thank you, but could we go on in English from here?")
        await stage.replies(3)
        assert model.shown[-1][0].startswith("user"), "without instructions, English needs no word"
