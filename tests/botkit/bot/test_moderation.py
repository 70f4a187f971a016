"""What a word list stops: before the model, and before anybody sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from stage import event, on_stage

from botkit import defaults
from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import SettingsError
from botkit.middleware.moderation import moderation
from botkit.moderation import Direction, Verdict
from botkit.pipeline import CallNext
from botkit.replies import Button, Reply
from botkit.turn import Turn


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("input: spell\noutput: secret plan\nass\n/4[0-9]{3}/\n")
    return path


async def test_what_a_person_may_not_write_reaches_no_model_and_no_history(
    tmp_path: Path, words: Path
) -> None:
    async with on_stage(tmp_path, moderation_file=words) as stage:
        await stage.say("cast a SPELL on them")
        assert await stage.replies(1) == [defaults.NOT_TALKED_ABOUT]
        assert stage.completion.counts.started == 0
        await stage.say("hello")
        assert (await stage.replies(2))[1] == "1 messages; you said: hello"
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["hello", "1 messages; you said: hello"]
        assert stage.counted("botkit_moderation_flagged_total", direction="input") == 1


async def test_a_streamed_reply_is_stopped_before_the_word_is_seen(
    tmp_path: Path, words: Path
) -> None:
    completion = ScriptedCompletion(["An assistant has a secret plan for everything there is"])
    async with on_stage(tmp_path, completion=completion, moderation_file=words) as stage:
        await stage.say("go")
        assert await stage.replies(1) == [defaults.NOT_SAID]
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["go", defaults.NOT_SAID]
        assert stage.counted("botkit_moderation_flagged_total", direction="output") == 1
    shown = [text for text in stage.adapter.shown if text != "closed"]
    assert "An assistant has a secret " in shown
    assert not any("plan" in text for text in shown)
    assert completion.counts.cancelled == 1


async def test_a_word_that_only_begins_like_a_listed_one_is_shown(
    tmp_path: Path, words: Path
) -> None:
    completion = ScriptedCompletion(lambda request: "Assorted assets, as said: 444")
    async with on_stage(tmp_path, completion=completion, moderation_file=words) as stage:
        await stage.say("go")
        assert await stage.replies(1) == ["Assorted assets, as said: 444"]


async def test_everything_that_a_handler_says_is_looked_at(tmp_path: Path, words: Path) -> None:
    bot = Bot(middleware=[])

    @bot.message("interim")
    async def interim(turn: Turn) -> str:
        await turn.reply("the secret plan")
        await turn.reply(Reply("choose", buttons=(Button("secret plan", "x"),)))
        return "fine"

    @bot.message("stream")
    async def stream() -> AsyncIterator[str]:
        for piece in ("the ", "sec", "ret pl", "an is", " out"):
            yield piece

    @bot.message("return")
    async def whole() -> Reply:
        return Reply("ok", suggestions=("the secret plan",))

    async with on_stage(tmp_path, bot, moderation_file=words) as stage:
        await stage.say("interim")
        await stage.say("stream")
        await stage.say("return")
        stopped = defaults.NOT_SAID
        assert await stage.replies(5) == [stopped, stopped, "fine", stopped, stopped]
    assert not any("secret plan" in text for text in stage.adapter.shown)


async def test_what_middleware_adds_is_looked_at_too(tmp_path: Path, words: Path) -> None:
    async def sign(turn: Turn, call_next: CallNext) -> Reply | None:
        reply = await call_next(turn)
        return reply and replace(reply, text=f"{reply.text} (the secret plan)")

    bot = Bot(middleware=lambda usual: [*usual, sign])
    async with on_stage(tmp_path, bot, moderation_file=words) as stage:
        await stage.say("hello")
        assert await stage.replies(1) == [defaults.NOT_SAID]
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
        assert [each.content for each in history] == ["hello"]


async def test_buttons_and_commands_are_input_too(tmp_path: Path, words: Path) -> None:
    async with on_stage(tmp_path, moderation_file=words) as stage:
        await stage.say("", kind="action", name="suggestion", value="the spell")
        await stage.say("a spell", kind="command", name="ask")
        assert await stage.replies(2) == [defaults.NOT_TALKED_ABOUT] * 2


async def test_a_moderator_of_ones_own_says_what_is_said(tmp_path: Path) -> None:
    class Strict:
        async def check(self, text: str, direction: Direction) -> Verdict | None:
            return Verdict("mood", say="Please be kind.") if "!" in text else None

    bot = Bot(middleware=[moderation(Strict())])
    async with on_stage(tmp_path, bot) as stage:
        await stage.say("now!")
        await stage.say("now")
        assert await stage.replies(2) == ["Please be kind.", "1 messages; you said: now"]


async def test_a_moderator_that_fails_lets_nothing_pass(tmp_path: Path) -> None:
    class Broken:
        async def check(self, text: str, direction: Direction) -> Verdict | None:
            raise OSError("away")

    bot = Bot(middleware=[moderation(Broken())])
    async with on_stage(tmp_path, bot, turn_attempts=1) as stage:
        await stage.say("hello")
        assert await stage.replies(1) == [defaults.APOLOGY]
    assert stage.completion.counts.started == 0


async def test_a_list_that_is_wrong_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("/(/")
    with pytest.raises(SettingsError, match="line 1"):
        async with on_stage(tmp_path, moderation_file=tmp_path / "words.txt"):
            pass
