"""Answers that only one person is to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_bot import SlackBot, bot_on_slack
from waiting import until

from botkit.bot import Bot
from botkit.replies import Button, File, Reply
from botkit.testing.slack import Channel
from botkit.turn import Turn

TEXT = "".join(f"word{number} " for number in range(25)).strip()


async def slowly() -> AsyncIterator[str]:
    for word in TEXT.split(" "):
        yield word + (" " if word != "word24" else "")
        await asyncio.sleep(0.05)


def streaming_bot() -> Bot:
    bot = Bot()

    @bot.command("ask")
    async def ask(turn: Turn) -> AsyncIterator[str]:
        return slowly()

    @bot.message("secret")
    async def secret(turn: Turn) -> Reply:
        return Reply(await turn.stream(slowly()), ephemeral=True)

    @bot.message("menu")
    async def menu() -> Reply:
        return Reply("Pick", buttons=(Button("Go", "go"),))

    @bot.action("go")
    async def go(turn: Turn) -> AsyncIterator[str]:
        return slowly()

    return bot


def versions(channel: Channel) -> list[tuple[str, str]]:
    """Who saw which last text."""
    return [(each.seen_by, each.text) for each in channel.posted if each.from_bot]


async def test_an_answer_to_a_command_is_shown_to_nobody_else(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, streaming_bot()) as running:
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.command("/ask", channel=general)
        await until(lambda: versions(general) == [(ada.id, TEXT)], within=20)
        await running.idle()
        assert versions(general) == [(ada.id, TEXT)]
        assert not slack._done("chat.postMessage")


async def test_what_was_streamed_goes_when_the_reply_is_for_one(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, streaming_bot()) as running:
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.say(f"{slack.bot} secret", channel=general)
        await until(lambda: versions(general)[-1:] == [(ada.id, TEXT)], within=20)
        await running.idle()
        assert slack._done("chat.startStream")
        assert versions(general) == [(ada.id, TEXT)]


async def test_in_a_direct_message_an_answer_stays(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, streaming_bot()) as running:
        slack = running.slack
        ada = slack.user("Ada")
        ada.say("menu")
        (menu,) = await slack.replies(ada.channel, 1)
        ada.click(menu, "Go")
        await until(lambda: versions(ada.channel)[1:] == [("", TEXT)], within=20)
        await running.idle()
        assert len(ada.channel.posted[-1].versions) > 1, "it was shown while it was written"
        ada.command("/ask")
        await until(lambda: versions(ada.channel)[2:] == [("", TEXT)], within=20)
        ada.say("secret")
        await until(lambda: versions(ada.channel)[3:] == [("", TEXT)], within=20)
        await running.idle()
        assert len(versions(ada.channel)) == 4


async def test_a_command_among_two_people_is_answered(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path, streaming_bot()) as running:
        slack = running.slack
        ada = slack.user("Ada")
        people = Channel("D9999", "people", direct=True, owner="U9999", joined=False)
        slack.state.channels[people.id] = people
        ada.command("/ask", channel=people)
        await until(lambda: versions(people) == [(ada.id, TEXT)], within=20)
        await running.idle()
        assert (await running.application.store.stats()).dead == 0


async def test_a_file_for_one_person_comes_in_the_direct_message(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("bill")
    async def bill() -> Reply:
        return Reply("Here it is.", files=(File("bill.txt", b"12 EUR"),))

    async with bot_on_slack(tmp_path, bot) as running:
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.command("/bill", channel=general)
        await slack.called("files.completeUploadExternal")
        await running.idle()
        assert versions(general) == [(ada.id, "Here it is.")]
        assert not any(each.data.get("files") for each in general.posted)
        (shared,) = ada.channel.posted
        assert shared.data["files"][0]["name"] == "bill.txt"


@pytest.mark.parametrize("spent", ["used_url", "expired_url"])
async def test_a_response_url_that_is_spent_is_done_without(tmp_path: Path, spent: str) -> None:
    bot = Bot()
    running: SlackBot

    @bot.command("ask")
    async def ask() -> str:
        for url in running.slack.state.urls.values():
            url.left = 0
        if spent == "expired_url":
            running.slack.state.urls.clear()
        return "late"

    async with bot_on_slack(tmp_path, bot) as running:
        slack = running.slack
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.command("/ask", channel=general)
        await until(lambda: versions(general) == [(ada.id, "late")])
        assert len(slack._done("chat.postEphemeral")) == 1
