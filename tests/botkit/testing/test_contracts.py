"""The judges of what simulators hear and deliver: that they condemn, and what they have to judge.

Every adapter test is held against them when its bot stops; see ``telegram_bot.py`` and
``slack_bot.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slack_contract
import telegram_contract
from slack_bot import bot_on_slack
from telegram_bot import bot_on_telegram

from botkit.testing.slack.simulator import Call as SlackCall
from botkit.testing.slack.simulator import SlackSimulator
from botkit.testing.telegram.simulator import Call, TelegramSimulator

needs_telegram = pytest.mark.skipif(
    not telegram_contract.is_there(), reason="Telegram's descriptions are not here"
)
needs_slack = pytest.mark.skipif(
    not slack_contract.is_there(), reason="Slack's descriptions are not here"
)

HELLO = {"chat_id": 1, "text": "hello"}


def keyboard(**button: Any) -> dict[str, Any]:
    return {**HELLO, "reply_markup": {"inline_keyboard": [[button]]}}


@needs_telegram
@pytest.mark.parametrize(
    ("method", "arguments", "problem"),
    [
        ("sendMesage", HELLO, "no such method"),
        ("sendMessage", {**HELLO, "mesage": 1}, "'mesage' was unexpected"),
        ("sendMessage", {"chat_id": 1}, "'text' is a required property"),
        ("sendMessage", {**HELLO, "text": 5}, "5 is not of type 'string'"),
        ("sendMessage", {**HELLO, "text": ""}, "0 UTF-16 units, at least 1"),
        ("sendMessage", {**HELLO, "text": "😀" * 2049}, "4098 UTF-16 units, at most 4096"),
        ("sendMessage", {**HELLO, "entities": {"type": "bold"}}, "is not of type 'array'"),
        ("sendMessage", {**HELLO, "entities": [{"type": "bald"}]}, "'bald' is not one of"),
        ("sendMessage", keyboard(callback_data="x"), "'text' is a required property"),
        ("sendMessage", keyboard(text="a", callback_data="é" * 33), "66 bytes, at most 64"),
        ("sendMessage", keyboard(text="a", style="pink"), "'pink' is not one of"),
        ("sendChatAction", {"chat_id": 1, "action": "sleep"}, "'sleep' is not one of"),
        ("setMyCommands", {"commands": [{"command": "a", "description": "b"}] * 101}, "too long"),
        ("sendDocument", {"chat_id": 1, "document": 7}, "is not valid under any"),
    ],
)
def test_telegram_calls_are_condemned(method: str, arguments: dict[str, Any], problem: str) -> None:
    found = telegram_contract.call_problems(Call(method, arguments, "not done"))
    assert any(problem in each for each in found), found


@needs_telegram
def test_what_telegram_allows_is_allowed() -> None:
    arguments = {
        **keyboard(text="Yes", callback_data="yes", style="danger"),
        "entities": [{"type": "bold", "offset": 0, "length": 5}],
        "reply_parameters": {"message_id": 5, "allow_sending_without_reply": True},
    }
    assert telegram_contract.call_problems(Call("sendMessage", arguments, "not done")) == []
    document = {"chat_id": "@channel", "document": ("a.txt", b"a")}
    assert telegram_contract.call_problems(Call("sendDocument", document, "not done")) == []


@needs_telegram
def test_telegram_answers_and_updates_are_condemned() -> None:
    (problem,) = telegram_contract.call_problems(Call("sendChatAction", {**ACTION}, result="ok"))
    assert problem.startswith("answer sendChatAction")
    message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "secret"}}
    (problem,) = telegram_contract.problems_of("Update", {"update_id": 1, "message": message})
    assert "'secret' is not one of" in problem


ACTION = {"chat_id": 1, "action": "typing"}
BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "A"}}


def actions(**changes: Any) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [{**BUTTON, **changes}]}]


@needs_slack
@pytest.mark.parametrize(
    ("method", "arguments", "problem"),
    [
        ("chat.postMesage", {}, "no such method"),
        ("chat.postMessage", {"text": "a"}, "channel is missing"),
        ("chat.postMessage", {"channel": "C1", "txt": "a"}, "unknown argument txt"),
        ("chat.postMessage", {"channel": "C1", "text": 5}, "text is 5"),
        ("chat.startStream", {"channel": "C1"}, "thread_ts is missing"),
        ("assistant.threads.setStatus", {"channel_id": "C1", "thread_ts": "1"}, "status is"),
        ("chat.postMessage", {"channel": "C1", "blocks": [{"type": "marked"}]}, "the SDK reads []"),
        ("chat.postMessage", {"channel": "C1", "blocks": actions(style="pink")}, "style"),
        ("chat.postMessage", {"channel": "C1", "blocks": actions(colour="red")}, "the SDK reads"),
        ("chat.update", {"channel": "C1", "ts": "1", "blocks": actions(value="x" * 2001)}, "value"),
        ("response_url", {"text": "a", "channel": "C1"}, "unknown argument channel"),
    ],
)
def test_slack_calls_are_condemned(method: str, arguments: dict[str, Any], problem: str) -> None:
    found = slack_contract.call_problems(SlackCall(method, arguments))
    assert any(problem in each for each in found), found


@needs_slack
def test_what_slack_allows_is_allowed() -> None:
    blocks = [{"type": "markdown", "text": "**a**"}, *actions(style="primary", value="v")]
    mark = {"event_type": "mark", "event_payload": {}}
    for given in ({"text": "a", "blocks": blocks, "metadata": mark}, {"markdown_text": "**a**"}):
        call = SlackCall("chat.postMessage", {"channel": "C1", "thread_ts": "1.2", **given})
        assert slack_contract.call_problems(call) == []


@needs_slack
def test_slack_events_are_condemned() -> None:
    event = {"type": "message", "channel_type": "im"}
    found = slack_contract.event_problems({"event": event, "type": "event_callback"})
    missing = ("token", "team_id", "api_app_id", "event_id", "event_time", "authorizations")
    for name in (*missing, "event_ts"):
        assert any(f"'{name}' is a required property" in each for each in found), name


@needs_telegram
async def test_the_judges_read_along_on_telegram(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such method"):
        async with bot_on_telegram(tmp_path) as running:
            running.telegram.calls.append(Call("sendMesage", HELLO, "not done"))


@needs_slack
async def test_the_judges_read_along_on_slack(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such method"):
        async with bot_on_slack(tmp_path) as running:
            running.slack.calls.append(SlackCall("chat.postMesage", {}))


@needs_telegram
async def test_everything_a_person_does_on_telegram_is_a_valid_update() -> None:
    async with TelegramSimulator() as telegram:
        alice, group = telegram.user("Alice"), telegram.group("Team")
        forum = telegram.group("Forum", forum=True)
        first = alice.send("hello /start @test_bot")
        alice.send("again", reply_to=first)
        alice.send("@test_bot hello", chat=group)
        alice.send("@test_bot hello", chat=forum, topic=7)
        alice.send_photo(b"photo", "a caption")
        alice.send_voice(b"voice")
        alice.send_document("a.txt", b"text", "text/plain", "a caption")
        alice.send_sticker()
        alice.send_location()
        telegram.migrate(group)
        assert len(telegram.deliveries.sent) == 10
        telegram_contract.check_simulator(telegram)


@needs_slack
async def test_everything_a_person_does_on_slack_is_a_valid_event() -> None:
    async with SlackSimulator() as slack:
        ada, general = slack.user("Ada"), slack.channel("general")
        first = ada.say(f"{slack.bot} hello", channel=general)
        ada.say("again", channel=general, thread=first.ts)
        ada.say("hello")
        ada.upload("a.txt", b"text", "text/plain", "look")
        ada.open_assistant()
        ada.uninstall()
        assert len(slack.deliveries.sent) == 7
        slack_contract.check_simulator(slack)
