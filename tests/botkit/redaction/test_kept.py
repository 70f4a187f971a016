"""What the store is given when BOTKIT_REDACT is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import event, on_stage

from botkit.bot import Bot
from botkit.completion.messages import AssistantMessage, UserMessage
from botkit.redaction.kept import redacted_event, redacted_message
from botkit.turn import Turn
from botkit.types import Attachment, Sender

EMAIL = "ada@example.org"


def test_an_event_keeps_its_ids_and_address() -> None:
    file = Attachment("file", f"https://files.example/T1-F1/{EMAIL}", f"{EMAIL}.txt")
    photo = Attachment("image", "AgACAgIAAxkBAAIBZ2Zz-0171234567-A", "photo.jpg")
    given = event(
        EMAIL,
        name=EMAIL,
        value=EMAIL,
        unsupported=EMAIL,
        message_id="1712345678.123456",
        sender=Sender("U1", EMAIL),
        attachments=(file, photo),
        address={"response_url": "https://hooks.slack.com/commands/T1/1/abcdefgh"},
    )
    kept = redacted_event(given)
    said = (kept.text, kept.name, kept.value, kept.unsupported, kept.sender.name)
    assert said == ("[email]",) * 5
    assert kept.attachments[0].name == "[email]"
    assert kept.attachments[0].id == "https://files.example/T1-F1/[email]"
    assert kept.attachments[1] == photo
    assert (kept.id, kept.message_id, kept.address) == (given.id, given.message_id, given.address)


def test_a_message_keeps_its_form() -> None:
    call = {"id": "call_0171234567", "type": "function"}
    call |= {"function": {"name": "send", "arguments": f'{{"to": "{EMAIL}"}}'}}
    message = AssistantMessage.model_validate({"role": "assistant", "tool_calls": [call]})
    kept = redacted_message(message).model_dump(exclude_unset=True)
    assert kept["tool_calls"][0]["id"] == "call_0171234567"
    assert kept["tool_calls"][0]["function"]["arguments"] == '{"to": "[email]"}'
    parts = [{"type": "text", "text": f"I am {EMAIL}"}]
    said = redacted_message(UserMessage.model_validate({"role": "user", "content": parts}))
    assert said.model_dump(exclude_unset=True)["content"] == [
        {"type": "text", "text": "I am [email]"}
    ]


@pytest.mark.parametrize("redact", [True, False])
async def test_a_reply_is_sent_as_it_is_and_remembered_redacted(
    tmp_path: Path, redact: bool
) -> None:
    bot = Bot(middleware=lambda usual: usual)
    heard: list[str] = []

    @bot.default
    async def tell(turn: Turn, text: str) -> str:
        heard.append(text)
        return "write to help@example.org"

    async with on_stage(tmp_path, bot, redact=redact) as stage:
        await stage.say(f"I am {EMAIL}")
        assert await stage.replies(1) == ["write to help@example.org"]
        await stage.idle()
        history = await stage.application.store.history(event().conversation)
    asked, told = ("I am [email]", "write to [email]")
    if not redact:
        asked, told = f"I am {EMAIL}", "write to help@example.org"
    assert [each.content for each in history] == [asked, told]
    assert heard == [asked]
