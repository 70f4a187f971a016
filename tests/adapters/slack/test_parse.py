"""What Slack sends, as events: every recorded sample, and the rules of channels."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from botkit.types import Event
from botkit_adapters.slack.inbound import decode, parse
from botkit_adapters.slack.parse import Ignored, Removed, parse_envelope, parse_interaction
from botkit_adapters.slack.text import plain

SHARED = Path(os.environ.get("BOTKIT_SHARED", Path(__file__).parents[4] / "shared"))
SAMPLES = SHARED / "samples/slack/opsdroid"

MEANING = {
    "payload_block_action_button.urlencoded": "action button-action=click_me_123",
    "payload_block_action_datepicker.urlencoded": "action datepicker-action=1990-04-12",
    "payload_block_action_multi_static_select.urlencoded": "action text1234=value-2,value-1",
    "payload_block_action_overflow.urlencoded": "action overflow-action=value-3",
    "payload_block_action_static_select.urlencoded": "action static_select-action=value-0",
    "payload_channel_archive.json": "ignored channel_archive",
    "payload_channel_created.json": "ignored channel_created",
    "payload_channel_rename.json": "ignored channel_rename",
    "payload_channel_unarchive.json": "ignored channel_unarchive",
    "payload_message.json": "ignored not_addressed",
    "payload_message_action.urlencoded": "ignored message_action",
    "payload_message_bot_message.json": "ignored bot_message",
    "payload_message_channel_join.json": "ignored changed",
    "payload_message_message_changed.json": "ignored changed",
    "payload_pin_added.json": "ignored pin_added",
    "payload_pin_removed.json": "ignored pin_removed",
    "payload_slash_command.urlencoded": "command testcommand=",
    "payload_team_join.json": "ignored team_join",
    "payload_view_submission.urlencoded": "ignored unknown",
}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded samples are not here")
@pytest.mark.parametrize("name", sorted(MEANING))
def test_a_sample_is_understood_or_ignored_for_a_reason(name: str) -> None:
    form = name.endswith("urlencoded")
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    parsed = parse(decode(kind, (SAMPLES / name).read_bytes()), lambda team: "")
    if isinstance(parsed, Ignored):
        assert f"ignored {parsed.reason}" == MEANING[name]
    else:
        assert isinstance(parsed, Event)
        assert f"{parsed.kind} {parsed.name}={parsed.value}" == MEANING[name]


def test_the_table_names_every_sample() -> None:
    if not SAMPLES.is_dir():
        pytest.skip("the recorded samples are not here")
    found = {path.name for path in SAMPLES.glob("payload_*")}
    assert found - set(MEANING) == {"payload_url_verification.json"}


def envelope(**event: object) -> dict[str, object]:
    given = {"type": "message", "channel": "C1", "user": "U1", "ts": "1.2", **event}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": given}


@pytest.mark.parametrize(
    ("event", "said", "thread", "ambient"),
    [
        ({"text": "<@UBOT> hi"}, "hi", "1.2", False),
        ({"text": "hi <@UBOT>", "thread_ts": "1.0"}, "hi", "1.0", False),
        ({"text": "and?", "thread_ts": "1.0"}, "and?", "1.0", True),
        ({"text": "hi", "channel": "D1", "channel_type": "im"}, "hi", "", False),
        ({"text": "hi", "channel": "D1", "thread_ts": "1.0"}, "hi", "1.0", False),
    ],
)
def test_who_is_meant(event: dict[str, object], said: str, thread: str, ambient: bool) -> None:
    parsed = parse_envelope(envelope(**event), "UBOT")
    assert isinstance(parsed, Event)
    assert (parsed.text, parsed.conversation.thread, parsed.ambient) == (said, thread, ambient)
    assert parsed.dedupe == (f"message:{parsed.conversation.channel}:1.2",)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("<@UBOT> /reset", ("command", "reset", "", False)),
        ("<@UBOT> /memory forget 2", ("command", "memory", "forget 2", False)),
        ("/reset", ("message", "", "/reset", True)),
        ("<@UBOT> see /etc/hosts", ("message", "", "see /etc/hosts", False)),
    ],
)
def test_a_mention_in_a_thread_may_be_a_command(
    text: str, meant: tuple[str, str, str, bool]
) -> None:
    parsed = parse_envelope(envelope(text=text, thread_ts="1.0"), "UBOT")
    assert isinstance(parsed, Event)
    assert (parsed.kind, parsed.name, parsed.text, parsed.ambient) == meant
    assert parsed.conversation.thread == "1.0"


@pytest.mark.parametrize(
    "event",
    [{"text": "hi"}, {"text": "<@UBOT> hi", "user": "UBOT"}, {"text": "<@UBOT>", "bot_id": "B1"}],
)
def test_who_is_not(event: dict[str, object]) -> None:
    assert isinstance(parse_envelope(envelope(**event), "UBOT"), Ignored)


def test_a_removal_names_the_workspace_and_the_time() -> None:
    assert parse_envelope(envelope(type="app_uninstalled"), "") == Removed("T1")
    dated = {**envelope(type="app_uninstalled"), "event_time": 1_600_000_000}
    assert parse_envelope(dated, "") == Removed("T1", 1_600_000_000)


@pytest.mark.parametrize(
    ("tokens", "meaning"),
    [
        ({"oauth": ["U1"], "bot": ["UBOT"]}, Removed("T1")),
        ({"bot": ["UBOT"]}, Removed("T1")),
        ({"oauth": ["U1"], "bot": []}, Ignored("user_tokens_revoked")),
        ({"oauth": ["U1"]}, Ignored("user_tokens_revoked")),
        (None, Ignored("user_tokens_revoked")),
    ],
)
def test_a_persons_token_is_not_the_bots(tokens: object, meaning: object) -> None:
    assert parse_envelope(envelope(type="tokens_revoked", tokens=tokens), "") == meaning


@pytest.mark.parametrize("broken", [{"tokens": "all"}, {"tokens": [1]}])
def test_a_revocation_of_an_unknown_shape(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an event"):
        parse_envelope(envelope(type="tokens_revoked", **broken), "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@UBOT>, hello", "hello"),
        ("ask <@U2> in <#C1|general>", "ask @U2 in #general"),
        ("<https://a.b|the page> &lt;3", "the page (https://a.b) <3"),
        ("<https://a.b> <mailto:x@y.z|x@y.z>", "https://a.b x@y.z"),
        ("<!here> <!subteam^S1|@team>", "@here @team"),
    ],
)
def test_text_is_what_people_read(text: str, shown: str) -> None:
    assert plain(text, "UBOT") == shown


@pytest.mark.parametrize(
    ("container", "thread"),
    [
        ({"is_ephemeral": True}, ""),
        ({"is_ephemeral": True, "thread_ts": "1.0"}, "1.0"),
        ({}, "2.0"),
        ({"thread_ts": "1.0"}, "1.0"),
    ],
)
def test_a_button_belongs_to_the_conversation_of_its_message(
    container: dict[str, object], thread: str
) -> None:
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "container": {"type": "message", "channel_id": "C1", "message_ts": "2.0", **container},
        "actions": [{"action_id": "confirm#0", "action_ts": "3.0"}],
    }
    parsed = parse_interaction(payload)
    assert isinstance(parsed, Event)
    assert parsed.conversation.thread == thread
