"""What the simulated Slack refuses, and with which code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from botkit.testing.slack import Channel, Person, SlackSimulator


@dataclass
class Workspace:
    slack: SlackSimulator
    ada: Person
    general: Channel

    async def ask(self, method: str, **arguments: Any) -> Any:
        """The code of a call's error, or its answer."""
        headers = {"Authorization": f"Bearer {self.slack.bot_token}"}
        url = self.slack.api_base_url + method
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, json=arguments) as response,
        ):
            answer = await response.json()
            return answer if answer["ok"] else answer["error"]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with SlackSimulator() as slack:
        yield Workspace(slack, slack.user("Ada"), slack.channel("general"))


def button(**changes: Any) -> list[dict[str, Any]]:
    label = {"type": "plain_text", "text": "A"}
    element = {"type": "button", "action_id": "a", "text": label, **changes}
    return [{"type": "actions", "elements": [element]}]


DIVIDER = {"type": "divider"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "no_text"),
        ({"channel": ""}, "invalid_arguments"),
        ({"channel": "C9", "text": "a"}, "channel_not_found"),
        ({"text": "a", "thread_ts": "1.2"}, "thread_not_found"),
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"markdown_text": "a", "text": "b"}, "markdown_text_conflict"),
        ({"text": "a", "metadata": {"event_type": "b"}}, "invalid_metadata_format"),
        ({"blocks": [DIVIDER] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "a" * 12_001}]}, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "a" * 6_001}] * 2}, "invalid_blocks"),
        ({"blocks": [{"type": "unheard_of"}]}, "invalid_blocks"),
        ({"blocks": [{**DIVIDER, "block_id": "a"}] * 2}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn"}}]}, "invalid_blocks"),
        ({"blocks": button(value="a" * 2_001)}, "invalid_blocks"),
        ({"blocks": button(style="pink")}, "invalid_blocks"),
        ({"blocks": [*button(), *button()]}, "invalid_blocks"),
        ({"blocks": button(text={"type": "plain_text", "text": "a" * 76})}, "invalid_blocks"),
    ],
)
async def test_a_message_is_refused(
    workspace: Workspace, arguments: dict[str, Any], code: str
) -> None:
    given = {"channel": workspace.general.id, **arguments}
    assert await workspace.ask("chat.postMessage", **given) == code
    assert workspace.slack.said(workspace.general) == []


async def test_the_largest_of_everything_is_taken(workspace: Workspace) -> None:
    where = {"channel": workspace.general.id}
    assert (await workspace.ask("chat.postMessage", **where, text="a" * 40_001))["ok"]
    assert len(workspace.general.posted[-1].text) == 40_000
    assert (await workspace.ask("chat.postMessage", **where, markdown_text="a" * 12_000))["ok"]
    assert (await workspace.ask("chat.postMessage", **where, blocks=[DIVIDER] * 50))["ok"]


async def test_a_channel_without_the_app_neither_hears_nor_tells(workspace: Workspace) -> None:
    secret = workspace.slack.channel("secret", joined=False)
    asked = workspace.ada.say(f"{workspace.slack.bot} hello", channel=secret)
    assert workspace.slack.deliveries.sent == []
    where = {"channel": secret.id}
    assert await workspace.ask("chat.postMessage", **where, text="a") == "not_in_channel"
    assert await workspace.ask("conversations.history", **where) == "not_in_channel"
    assert await workspace.ask("conversations.replies", **where, ts=asked.ts) == "not_in_channel"


async def test_messages_of_others_are_left_alone(workspace: Workspace) -> None:
    posted = workspace.ada.say("hello", channel=workspace.general)
    where = {"channel": workspace.general.id, "ts": posted.ts}
    assert await workspace.ask("chat.update", **where, text="a") == "cant_update_message"
    assert await workspace.ask("chat.delete", **where) == "cant_delete_message"
    append = await workspace.ask("chat.appendStream", **where, markdown_text="a")
    assert append == "message_not_owned_by_app"


async def test_a_message_to_one_person_is_not_changed(workspace: Workspace) -> None:
    where = {"channel": workspace.general.id}
    assert await workspace.ask("chat.postEphemeral", **where, user="U9", text="a") == (
        "user_not_in_channel"
    )
    user = workspace.ada.id
    sent = await workspace.ask("chat.postEphemeral", **where, user=user, text="a")
    found = {"ts": sent["message_ts"], "text": "b"}
    assert await workspace.ask("chat.update", **where, **found) == "message_not_found"
    assert (await workspace.ask("conversations.history", **where))["messages"] == []


async def test_an_update_is_short(workspace: Workspace) -> None:
    where = {"channel": workspace.general.id}
    sent = await workspace.ask("chat.postMessage", **where, text="a")
    found = {**where, "ts": sent["ts"]}
    assert await workspace.ask("chat.update", **found, text="a" * 4_001) == "msg_too_long"
    assert await workspace.ask("chat.update", **found) == "no_text"
    assert await workspace.ask("chat.update", **where, ts="1.2", text="a") == "message_not_found"


async def test_a_stream_has_its_rules(workspace: Workspace) -> None:
    root = workspace.ada.say("go", channel=workspace.general)
    where = {"channel": workspace.general.id}
    start = {**where, "thread_ts": root.ts}
    who = {"recipient_team_id": workspace.slack.state.team, "recipient_user_id": workspace.ada.id}
    assert await workspace.ask("chat.startStream", **start) == "missing_recipient_team_id"
    wrong = {**where, **who, "thread_ts": "1.2"}
    assert await workspace.ask("chat.startStream", **wrong) == "invalid_thread_ts"
    stream = {**where, "ts": (await workspace.ask("chat.startStream", **start, **who))["ts"]}
    assert await workspace.ask("chat.appendStream", **stream) == "invalid_arguments"
    assert await workspace.ask("chat.update", **stream, text="a") == "streaming_state_conflict"
    assert (await workspace.ask("chat.appendStream", **stream, markdown_text="a" * 9_000))["ok"]
    more = {**stream, "markdown_text": "a" * 3_001}
    assert await workspace.ask("chat.appendStream", **more) == "msg_too_long"
    assert await workspace.ask("chat.stopStream", **stream) == "message_not_in_streaming_state"


async def test_a_history_has_pages(workspace: Workspace) -> None:
    posted = [workspace.ada.say(text, channel=workspace.general) for text in "abcd"]
    where = {"channel": workspace.general.id, "limit": 2}
    first = await workspace.ask("conversations.history", **where)
    cursor = first["response_metadata"]["next_cursor"]
    second = await workspace.ask("conversations.history", **where, cursor=cursor)
    texts = [each["text"] for page in (first, second) for each in page["messages"]]
    assert (texts, second["has_more"]) == (["d", "c", "b", "a"], False)
    later = await workspace.ask("conversations.history", **where, oldest=posted[1].ts)
    assert [each["text"] for each in later["messages"]] == ["d", "c"]


async def test_a_response_url_is_good_for_five(workspace: Workspace) -> None:
    url = workspace.slack.response_url(workspace.general, workspace.ada.id)
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=b"{") as response:
            assert (response.status, await response.text()) == (400, "invalid_payload")
        statuses = []
        for _ in range(6):
            async with session.post(url, json={"text": "a"}) as response:
                statuses.append(response.status)
    assert statuses == [200] * 5 + [404]
    assert {posted.seen_by for posted in workspace.general.posted} == {workspace.ada.id}
