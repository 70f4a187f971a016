"""Updates to events: every recorded sample, and the rules of groups."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from botkit.types import Event
from botkit_adapters.telegram.parse import BotUser, Ignored, Moved, parse_update

SHARED = Path(os.environ.get("BOTKIT_SHARED", Path(__file__).parents[4] / "shared"))
UPDATES = SHARED / "samples/telegram/nutgram/Updates"
BOT = BotUser("42", "test_bot")

MEANING = {
    "animation": "message+1",
    "audio": "message+1",
    "callback_query": "action thedata",
    "callback_query_complex": "action c=uud&pid=1&bid=1",
    "callback_query_inaccessible_message": "action thedata",
    "callback_query_without_message": "ignored callback_without_message",
    "checklist": "message a checklist",
    "command": "command test",
    "command_message": "command start",
    "command_with_parameters": "command register",
    "contact": "message a contact",
    "dice": "message a dice",
    "document": "message+1",
    "edited_message": "ignored edited_message",
    "entities": "message",
    "game": "message a game",
    "inline_query": "ignored inline_query",
    "location": "message a location",
    "message": "message",
    "message_poll": "message a poll",
    "message_reaction": "ignored message_reaction",
    "message_topic": "ignored not_addressed",
    "migrate_to_chat_id": "moved 123456789",
    "new_chat_members": "ignored service",
    "photo": "message+1",
    "pinned_message": "ignored service",
    "poll": "ignored poll",
    "sticker": "message a sticker",
    "story": "message a story",
    "text": "message",
    "venue": "message a place",
    "video": "message+1",
    "voice": "message+1",
}


def meaning(update: dict[str, object]) -> str:
    parsed = parse_update(update, BOT)
    if isinstance(parsed, Ignored):
        return f"ignored {parsed.reason}"
    if isinstance(parsed, Moved):
        return f"moved {parsed.new_chat}"
    files = f"+{len(parsed.attachments)}" if parsed.attachments else ""
    return f"{parsed.kind}{files} {parsed.name or parsed.unsupported}".strip()


@pytest.mark.skipif(not UPDATES.is_dir(), reason="the recorded samples are not here")
def test_every_sample_is_understood_or_ignored_for_a_reason() -> None:
    found = {
        path.stem: meaning(json.loads(path.read_text())) for path in sorted(UPDATES.glob("*.json"))
    }
    assert len(found) > 90
    assert {name: found[name] for name in MEANING} == MEANING
    assert "ignored unknown" not in found.values()


def in_group(text: str, **fields: object) -> dict[str, object]:
    chat = {"id": -5, "type": "group", "title": "Team"}
    sender = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "pt"}
    message = {"message_id": 9, "chat": chat, "from": sender, "date": 1, "text": text, **fields}
    return {"update_id": 3, "message": message}


def entity(kind: str, offset: int, length: int) -> dict[str, object]:
    return {"type": kind, "offset": offset, "length": length}


@pytest.mark.parametrize(
    ("text", "fields", "said"),
    [
        ("@test_bot hi", {"entities": [entity("mention", 0, 9)]}, "hi"),
        ("😀 @TEST_BOT hi", {"entities": [entity("mention", 3, 9)]}, "😀 hi"),
        ("hi @test_bot!", {"entities": [entity("mention", 3, 9)]}, "hi!"),
        ("hi", {"reply_to_message": {"from": {"id": 42}}}, "hi"),
        ("hi @other_bot", {"entities": [entity("mention", 3, 10)]}, None),
        ("hi", {"reply_to_message": {"from": {"id": 8}}}, None),
        ("/go@other_bot now", {"entities": [entity("bot_command", 0, 13)]}, None),
        ("/go@test_bot now", {"entities": [entity("bot_command", 0, 12)]}, "now"),
    ],
)
def test_a_group_reaches_the_bot_only_when_it_means_it(
    text: str, fields: dict[str, object], said: str | None
) -> None:
    parsed = parse_update(in_group(text, **fields), BOT)
    if said is None:
        assert parsed == Ignored("not_addressed")
    else:
        assert isinstance(parsed, Event)
        assert (parsed.text, parsed.sender.locale) == (said, "pt")


@pytest.mark.parametrize("update", [{}, {"update_id": "x"}, {"update_id": 1, "message": {"a": 1}}])
def test_what_is_no_update_is_refused(update: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not an update|invalid literal"):
        parse_update(update, BOT)
