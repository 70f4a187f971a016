"""Apps that Slack's own frameworks make, on the simulated Slack."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import slack_contract
from programs import running
from side_environments import node_with
from waiting import until

from botkit.testing.slack import SlackSimulator

CLIENTS = Path(__file__).parent / "clients"
NODE = CLIENTS / "node"


def command(language: str) -> list[str | Path]:
    """How the program is started, up to its address, tokens, secret and mode."""
    if language == "node":
        return ["node", NODE / "slack_bolt.mjs", node_with(NODE / "package.json")]
    return [sys.executable, CLIENTS / "slack_bolt_python.py"]


@pytest.fixture(params=["python http", "python socket", "node http", "node socket"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[SlackSimulator]:
    """A simulated Slack with that app on it; all that went over the line is checked."""
    language, mode = request.param.split()
    start = command(language)
    async with SlackSimulator(time_scale=0.01, own_messages=True) as simulator:
        secrets = (simulator.bot_token, simulator.app_token, simulator.signing_secret)
        async with running(*start, simulator.api_base_url, *secrets, mode) as program:
            ready = await program.ready()
            if mode == "http":
                simulator.deliveries.url = f"http://127.0.0.1:{ready[0]}/slack/events"
            yield simulator
        slack_contract.check_simulator(simulator)


async def test_an_app_hears_answers_and_is_pressed(slack: SlackSimulator) -> None:
    ada = slack.user("Ada")
    ada.say("hello")
    (answer,) = await slack.replies(ada.channel, 1)
    assert (answer.text, list(answer.buttons)) == ("Hey there!", ["Press"])
    ada.click(answer, "Press")
    await until(lambda: slack.said(ada.channel)[-1] == f"<@{ada.id}> pressed", within=10)
    await until(lambda: answer.versions == ["Hey there!", "you pressed it"], within=10)
    assert answer.buttons == {}


async def test_a_command_a_mention_and_a_file(slack: SlackSimulator) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    ada.command("/echo", "one two", channel=general)
    await until(lambda: len(slack.said(general)) == 2, within=10)
    assert set(slack.said(general)) == {"at once: one two", "later: one two"}
    assert {posted.seen_by for posted in general.posted} == {ada.id}

    asked = ada.say(f"{slack.bot} are you there?", channel=general)
    (answer,) = await slack.replies(general, 1, thread=asked.ts)
    assert (answer.text, answer.thread) == ("you called", asked.ts)

    ada.upload("a.txt", b"12345", "text/plain")
    await until(lambda: slack.said(ada.channel) == ["5 bytes"], within=10)


async def test_what_was_taken_is_not_sent_again(slack: SlackSimulator) -> None:
    ada = slack.user("Ada")
    ada.say("hello")
    await slack.replies(ada.channel, 1)
    deliveries = slack.deliveries
    if deliveries.url:
        await until(lambda: len(deliveries.log) == 2)  # what Ada said, and what the app did
        assert [(each.retry, each.status) for each in deliveries.log] == [(0, 200)] * 2
    else:
        await until(lambda: len(deliveries.acknowledged) == 2)
        await deliveries.refresh()
        ada.say("hello again")
        await slack.replies(ada.channel, 1)
