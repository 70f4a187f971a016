"""What the simulated Telegram refuses, and in whose words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from botkit.testing.telegram import Person, TelegramSimulator


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramSimulator]:
    async with TelegramSimulator() as simulator:
        yield simulator


@pytest.fixture
def alice(telegram: TelegramSimulator) -> Person:
    return telegram.user("Alice")


async def ask(
    telegram: TelegramSimulator, method: str, arguments: dict[str, Any], *, form: bool = False
) -> Any:
    """What a call answers, or why it is refused."""
    url = f"{telegram.api_base_url}{telegram.bot_token}/{method}"
    body = {"data": arguments} if form else {"json": arguments}
    async with aiohttp.ClientSession() as session, session.post(url, **body) as response:
        answer = await response.json()
        assert answer["ok"] == (response.status == 200)
        return answer["result"] if answer["ok"] else answer["description"]


def keyboard(**button: Any) -> dict[str, Any]:
    return {"text": "a", "reply_markup": {"inline_keyboard": [[button]]}}


def entities(**entity: Any) -> dict[str, Any]:
    return {"text": "a😀", "entities": [{"type": "bold", "offset": 0, "length": 1, **entity}]}


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [
        ("sendMessage", {"text": " "}, "message text is empty"),
        ("sendMessage", {"text": "😀" * 2048 + "a"}, "message is too long"),
        ("sendMessage", {"text": "a", "chat_id": 5}, "chat not found"),
        ("sendMessage", {"text": "a", "parse_mode": "RTF"}, "unsupported parse_mode"),
        ("sendMessage", entities(length=9), "ENTITY_BOUNDS_INVALID"),
        ("sendMessage", entities(length=2), "ENTITY_BOUNDS_INVALID"),
        ("sendMessage", entities(type="bald"), "can't parse entities: unsupported entity type"),
        ("sendMessage", keyboard(text="a"), "text buttons are unallowed in the inline keyboard"),
        ("sendMessage", keyboard(text="a", callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        ("sendMessage", keyboard(text="a", url="javascript:1"), "BUTTON_URL_INVALID"),
        (
            "sendMessage",
            {"text": "a", "reply_parameters": {"message_id": 99}},
            "message to be replied not found",
        ),
        ("sendMessage", {"text": "a", "message_thread_id": 7}, "message thread not found"),
        ("sendMessageDraft", {"draft_id": 0, "text": "a"}, "draft identifier must be non-zero"),
        ("editMessageText", {"message_id": 99, "text": "a"}, "message to edit not found"),
        ("sendChatAction", {"action": "sleep"}, "wrong parameter action in request"),
        ("answerCallbackQuery", {"callback_query_id": "9"}, "query is too old and response"),
        ("sendDocument", {"document": "unknown"}, "wrong file identifier/HTTP URL specified"),
        (
            "setMyCommands",
            {"commands": [{"command": "a", "description": "b"}] * 101},
            "BOT_COMMANDS_TOO_MUCH",
        ),
        ("setMyCommands", {"commands": [{"command": "A b"}]}, "BOT_COMMAND_INVALID"),
        ("getFile", {"file_id": "unknown"}, "wrong file_id or the file is temporarily"),
        ("setWebhook", {"url": "http://example.com"}, "bad webhook: An HTTPS URL must be"),
        ("setWebhook", {"url": "https://a.b", "secret_token": "ä"}, "secret token contains"),
    ],
)
async def test_a_call_is_refused(
    telegram: TelegramSimulator, alice: Person, method: str, arguments: dict[str, Any], reason: str
) -> None:
    answer = await ask(telegram, method, {"chat_id": alice.chat.id, **arguments})
    assert str(answer).startswith(f"Bad Request: {reason}")
    assert telegram.said(alice.chat) == []


async def test_the_largest_of_everything_is_taken(
    telegram: TelegramSimulator, alice: Person
) -> None:
    button = {"text": "a", "callback_data": "é" * 32}
    arguments = {**keyboard(**button), "text": "😀" * 2048, "chat_id": alice.chat.id}
    assert (await ask(telegram, "sendMessage", arguments))["text"] == "😀" * 2048
    commands = [{"command": f"a{number}", "description": "b"} for number in range(100)]
    assert await ask(telegram, "setMyCommands", {"commands": commands}) is True


async def test_drafts_are_for_private_chats(telegram: TelegramSimulator) -> None:
    draft = {"chat_id": telegram.group("Team").id, "draft_id": 1, "text": "a"}
    assert "chat type" in await ask(telegram, "sendMessageDraft", draft)


async def test_a_query_is_answered_once(telegram: TelegramSimulator, alice: Person) -> None:
    sent = keyboard(text="a", callback_data="a")
    await ask(telegram, "sendMessage", {"chat_id": alice.chat.id, **sent})
    query = {"callback_query_id": alice.click(alice.chat.messages[-1], "a")}
    assert "MESSAGE_TOO_LONG" in await ask(
        telegram, "answerCallbackQuery", {**query, "text": "a" * 201}
    )
    assert await ask(telegram, "answerCallbackQuery", query) is True
    assert "query is too old" in await ask(telegram, "answerCallbackQuery", query)


async def test_what_is_edited_is_the_bots_and_changes(
    telegram: TelegramSimulator, alice: Person
) -> None:
    foreign = {"chat_id": alice.chat.id, "message_id": alice.send("a").id, "text": "b"}
    assert "can't be edited" in await ask(telegram, "editMessageText", foreign)
    sent = await ask(telegram, "sendMessage", {"chat_id": alice.chat.id, "text": "a"})
    own = {"chat_id": alice.chat.id, "message_id": sent["message_id"], "text": "a"}
    assert "not modified" in await ask(telegram, "editMessageText", own)
    reply_keyboard = {"reply_markup": {"keyboard": [["a"]]}, "text": "b"}
    assert "inline keyboard expected" in await ask(
        telegram, "editMessageText", {**own, **reply_keyboard}
    )


async def test_a_form_says_what_json_says(telegram: TelegramSimulator, alice: Person) -> None:
    for text in ("5", "true", '{"a": 1}', "[1]"):
        sent = await ask(
            telegram, "sendMessage", {"chat_id": str(alice.chat.id), "text": text}, form=True
        )
        assert sent["text"] == text
    broken = {"chat_id": str(alice.chat.id), "text": "a", "reply_markup": "{"}
    assert "can't parse reply_markup" in await ask(telegram, "sendMessage", broken, form=True)


async def test_a_429_says_how_long(telegram: TelegramSimulator, alice: Person) -> None:
    telegram.faults.add("sendMessage", "429", seconds=7)
    answer = await ask(telegram, "sendMessage", {"chat_id": alice.chat.id, "text": "a"})
    assert answer == "Too Many Requests: retry after 7"
