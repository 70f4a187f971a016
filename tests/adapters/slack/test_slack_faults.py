"""Slack fails in every way it can: each reply is there once, whole, and in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from slack_bot import SlackBot, bot_on_slack
from waiting import until

from botkit.testing.slack import Channel

LONG = " ".join(f"word{number}" for number in range(60))


def shown(running: SlackBot, channel: Channel) -> list[str]:
    """The bot's messages that nobody is still writing."""
    return [each.text for each in channel.posted if each.from_bot and not each.streaming]


async def test_a_storm_of_429_costs_no_reply_and_no_order(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        slack.faults.add("chat.postMessage", "429", times=12, seconds=0.2)
        people = [slack.user(name) for name in ("Ada", "Bob", "Cleo")]
        for number in range(3):
            for person in people:
                person.say(f"m{number}")
        await until(lambda: all(len(slack.said(each.channel)) == 3 for each in people), within=60)
        for person in people:
            assert slack.said(person.channel) == ["1: m0", "3: m1", "5: m2"]
        assert len([call for call in slack.calls if call.error == "fault"]) == 12


async def test_a_slow_call_holds_nobody_else_up(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        ada, bob = slack.user("Ada"), slack.user("Bob")
        slow = slack.faults.add("chat.postMessage", "slow", seconds=3)
        ada.say("hello")
        await until(lambda: slow.hits == 1)
        bob.say("hello")
        await slack.replies(bob.channel, 1)
        assert slack.said(ada.channel) == []
        await slack.replies(ada.channel, 1)
        assert slack.said(ada.channel) == ["1: hello"]


@pytest.mark.parametrize("reason", ["unknown_method", "not_in_channel", "internal_error"])
async def test_where_no_stream_starts_the_reply_is_posted(tmp_path: Path, reason: str) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.02
        slack = running.slack
        slack.faults.add("chat.startStream", "error", times=99, reason=reason)
        ada, general = slack.user("Ada"), slack.channel("general")
        asked = ada.say(f"{slack.bot} go", channel=general)
        (reply,) = await slack.replies(general, 1, thread=asked.ts)
        await running.idle()
        assert (reply.text, shown(running, general)) == (LONG, [LONG])


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("chat.appendStream", "429"),
        ("chat.appendStream", "5xx"),
        ("chat.appendStream", "drop_after"),
        ("chat.stopStream", "429"),
        ("chat.stopStream", "5xx"),
        ("chat.stopStream", "drop_before"),
        ("chat.stopStream", "drop_after"),
    ],
)
async def test_a_stream_that_is_disturbed_ends_as_the_reply(
    tmp_path: Path, method: str, kind: str
) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.03
        slack = running.slack
        slack.faults.add(method, kind, seconds=1)  # type: ignore[arg-type]
        ada, general = slack.user("Ada"), slack.channel("general")
        ada.say(f"{slack.bot} go", channel=general)
        await until(lambda: shown(running, general) == [LONG], within=30)
        await running.idle()
        assert slack.said(general) == [LONG]


@pytest.mark.parametrize("reason", ["message_not_found", "msg_too_long", "edit_window_closed"])
async def test_a_preview_that_cannot_be_replaced_is_followed_by_the_reply(
    tmp_path: Path, reason: str
) -> None:
    async with bot_on_slack(tmp_path, replies=[LONG]) as running:
        running.completion.delay = 0.02
        slack = running.slack
        slack.faults.add("chat.update", "error", times=99, reason=reason)
        ada = slack.user("Ada")
        ada.say("go")
        await until(lambda: slack.said(ada.channel) == [LONG], within=30)
        await running.idle()
        assert slack.said(ada.channel) == [LONG]


async def test_reordered_deliveries_are_each_answered(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        ada = slack.user("Ada")
        slack.deliveries.first_retry = 2
        ada.say("first")
        await until(lambda: len(slack.said(ada.channel)) == 1)
        slack.deliveries.first_retry = 0
        ada.say("second")
        await until(lambda: slack.said(ada.channel) == ["1: first", "3: second"])


async def test_a_platform_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with bot_on_slack(tmp_path) as running:
        slack = running.slack
        slack.faults.add("chat.postMessage", "drop_before", times=3)
        ada = slack.user("Ada")
        ada.say("hello")
        await until(lambda: slack.said(ada.channel) == ["1: hello"], within=30)
        await asyncio.sleep(0.5)
        assert slack.said(ada.channel) == ["1: hello"]
