"""Slack and Telegram through a function that is frozen whenever it is not invoked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from lambda_platform import FunctionError, LambdaPlatform
from telegram_bot import SECRET
from waiting import until

from botkit.testing.slack import SlackSimulator
from botkit.testing.telegram import TelegramSimulator

BOT = """
import asyncio
import os
from botkit import Bot
from botkit.functions.aws_lambda import LambdaFunction

bot = Bot()

@bot.message("break once")
async def break_once():
    try:
        os.mkdir("broken")
    except FileExistsError:
        return "mended"
    raise RuntimeError("broken once")

@bot.message("stuck once")
async def stuck_once():
    try:
        os.mkdir("stuck")
    except FileExistsError:
        return "free"
    await asyncio.sleep(60)

handler = LambdaFunction(bot)
"""
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-10-08T16:53:06Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:events:eu-west-1:123456789012:rule/drain"],
    "detail": {},
}


def variables(folder: Path, telegram: TelegramSimulator | None = None) -> dict[str, str]:
    found = {
        "BOTKIT_COMPLETION": "echo",
        "BOTKIT_HOME": str(folder),
        "BOTKIT_DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
        "BOTKIT_LEASE_SECONDS": "2",
    }
    if telegram is not None:
        found |= {
            "TELEGRAM_BOT_TOKEN": telegram.bot_token,
            "TELEGRAM_API_BASE_URL": telegram.api_base_url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
        }
    return found


def connect(telegram: TelegramSimulator, platform: LambdaPlatform) -> None:
    telegram.set_webhook(f"{platform.url}/telegram/webhook", SECRET)


def delivered(telegram: TelegramSimulator) -> list[int]:
    return [delivery.status for delivery in telegram.deliveries.log]


async def test_telegram_is_acknowledged_before_the_turn_and_answered_by_another_invocation(
    tmp_path: Path,
) -> None:
    async with (
        TelegramSimulator(time_scale=0.01) as telegram,
        LambdaPlatform(tmp_path, variables(tmp_path, telegram)) as platform,
    ):
        connect(telegram, platform)
        platform.held = []
        ada = telegram.user("Ada")
        ada.send("hello")
        await until(lambda: platform.held != [], within=30)
        await until(lambda: delivered(telegram) == [200])
        await asyncio.sleep(0.3)
        assert telegram.said(ada.chat) == []
        (event,), platform.held = platform.held, None
        assert list(event) == ["botkit"]
        platform.deliver(event)
        await telegram.replies(ada.chat, 1)
        await platform.settled()
        assert [outcome for _, outcome in platform.outcomes] == [{"done": True}]
        ada.send("again")
        (reply,) = await telegram.replies(ada.chat, 1)
        assert reply.text == "again"
        assert telegram.said(ada.chat) == ["hello", "again"]


async def test_invocations_that_come_twice_answer_once(tmp_path: Path) -> None:
    async with TelegramSimulator(time_scale=0.01) as telegram:
        options = {"processes": 2, "copies": 2}
        async with LambdaPlatform(tmp_path, variables(tmp_path, telegram), **options) as platform:  # type: ignore[arg-type]
            connect(telegram, platform)
            people = [telegram.user(f"P{number}") for number in range(5)]
            for number in range(3):
                for person in people:
                    person.send(f"message {number}")
            for person in people:
                await until(lambda person=person: len(telegram.said(person.chat)) == 3, within=30)  # type: ignore[misc]
            await platform.settled()
            for event in [event for event, _ in platform.outcomes]:  # and once more, much later
                await platform.invoke(event)
            for person in people:
                assert telegram.said(person.chat) == [f"message {number}" for number in range(3)]


async def test_slack_answers_in_time_and_through_another_invocation(tmp_path: Path) -> None:
    async with SlackSimulator(time_scale=0.001) as slack:
        found = variables(tmp_path) | {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_BASE_URL": slack.api_base_url,
        }
        async with LambdaPlatform(tmp_path, found, processes=2) as platform:
            slack.deliveries.url = f"{platform.url}/slack/events"
            ada = slack.user("Ada")
            ada.say("hello")
            (reply,) = await slack.replies(ada.channel, 1)
            assert reply.text == "hello"
            await platform.settled()
            assert len(slack.said(ada.channel)) == 1


async def test_a_turn_that_fails_is_tried_again_within_its_invocation(tmp_path: Path) -> None:
    (tmp_path / "lambda_bot.py").write_text(BOT)
    async with TelegramSimulator(time_scale=0.01) as telegram:
        found = variables(tmp_path, telegram)
        async with LambdaPlatform(tmp_path, found, handler="lambda_bot.handler") as platform:
            connect(telegram, platform)
            ada = telegram.user("Ada")
            ada.send("break once")
            (reply,) = await telegram.replies(ada.chat, 1)
            assert reply.text == "mended"
            await platform.settled()
            assert [outcome for _, outcome in platform.outcomes] == [{"done": True}]


async def test_a_schedule_drains_what_a_lost_invocation_left(tmp_path: Path) -> None:
    async with (
        TelegramSimulator(time_scale=0.01) as telegram,
        LambdaPlatform(tmp_path, variables(tmp_path, telegram)) as platform,
    ):
        connect(telegram, platform)
        platform.held = []
        ada, bob = telegram.user("Ada"), telegram.user("Bob")
        ada.send("from Ada")
        bob.send("from Bob")
        await until(lambda: len(platform.held or ()) == 2, within=30)
        platform.held = []
        assert await platform.invoke(SCHEDULED) == {"done": True}
        assert telegram.said(ada.chat) == ["from Ada"]
        assert telegram.said(bob.chat) == ["from Bob"]
        assert await platform.invoke(SCHEDULED) == {"done": True}


async def test_what_a_dead_process_held_is_finished_by_lambdas_retry(tmp_path: Path) -> None:
    (tmp_path / "lambda_bot.py").write_text(BOT)
    async with (
        TelegramSimulator(time_scale=0.01) as telegram,
        LambdaPlatform(
            tmp_path, variables(tmp_path, telegram), handler="lambda_bot.handler", processes=2
        ) as platform,
    ):
        connect(telegram, platform)
        platform.held = []
        ada = telegram.user("Ada")
        ada.send("stuck once")
        await until(lambda: platform.held != [], within=30)
        (event,) = platform.held
        first, second = platform.processes
        lost = asyncio.create_task(first.invoke(event))
        await until((tmp_path / "stuck").exists, within=30)
        first.kill()
        lost.cancel()
        assert await second.invoke(event) == {"done": True}
        assert telegram.said(ada.chat) == ["free"]


async def test_when_lambda_does_not_take_the_event_the_message_is_kept(tmp_path: Path) -> None:
    async with TelegramSimulator(time_scale=0.01) as telegram:
        found = variables(tmp_path, telegram) | {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9"}
        async with LambdaPlatform(tmp_path, found) as platform:
            connect(telegram, platform)
            ada = telegram.user("Ada")
            ada.send("hello")
            await until(lambda: delivered(telegram) == [200], within=30)
            assert "the function could not invoke itself: EndpointConnectionError" in platform.log
            assert await platform.invoke(SCHEDULED) == {"done": True}
            assert telegram.said(ada.chat) == ["hello"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], "none that a bot takes"),
        ({"Records": []}, "none that a bot takes"),
        ({"botkit": {"conversation": 7}}, "names no conversation"),
        ({"botkit": {}}, "names no conversation"),
    ],
)
async def test_other_events_are_errors(tmp_path: Path, event: Any, message: str) -> None:
    async with LambdaPlatform(tmp_path, variables(tmp_path)) as platform:
        with pytest.raises(FunctionError, match=message):
            await platform.invoke(event)


async def test_the_openai_interface_answers_through_it(tmp_path: Path) -> None:
    async with LambdaPlatform(tmp_path, variables(tmp_path)) as platform:
        body = {"model": "echo", "messages": [{"role": "user", "content": "hé"}]}
        async with aiohttp.ClientSession(platform.url) as session:
            async with session.post("/v1/chat/completions", json=body) as response:
                answer = await response.json()
            assert answer["choices"][0]["message"]["content"] == "hé"
            async with session.post(
                "/v1/chat/completions", json=body | {"stream": True}
            ) as response:
                events = (await response.text()).split("\n\n")
            assert json.loads(events[0].removeprefix("data: "))["object"] == "chat.completion.chunk"
            assert events[-2] == "data: [DONE]"
