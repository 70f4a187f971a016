"""What the console asks the store for, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from stage import event

from botkit.completion.messages import AssistantMessage
from botkit.store import Feedback, GivenFeedback, Store, TurnOutput, open_store
from botkit.types import ConversationKey


class Clock:
    """A second later each time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.database()
    opened = await open_store(url, clock=Clock())
    yield opened
    await opened.aclose()


async def leave(store: Store, key: ConversationKey, output: TurnOutput) -> None:
    """Have a turn of the conversation end with ``output``."""
    accepted = await store.accept([event(conversation=key)], owner="me")
    (work,) = accepted.work
    assert work.turn is not None
    await store.commit(work.lease, work.turn.events, output)


def conversation(number: int, platform: str = "stage") -> ConversationKey:
    return ConversationKey(platform, "s", f"c{number}")


async def test_feedback_of_all_conversations(store: Store) -> None:
    for number, value in enumerate(("positive", "negative", "positive")):
        said = Feedback(f"m{number}", "u1", value, f"comment {number}")
        await leave(store, conversation(number), TurnOutput(feedback=(said,)))
    found = await store.latest_feedback()
    assert [each.conversation for each in found] == [conversation(number) for number in (2, 1, 0)]
    times = [each.at for each in found]
    assert times == sorted(times, reverse=True)
    said = Feedback("m1", "u1", "negative", "comment 1")
    assert await store.latest_feedback(value="negative") == [
        GivenFeedback(conversation(1), said, times[1])
    ]
    assert await store.latest_feedback(1) == found[:1]
    await store.erase(conversation(2))
    assert await store.latest_feedback() == found[1:]


async def test_conversations_of_a_platform_in_pages(store: Store) -> None:
    for number in range(4):
        await leave(store, conversation(number, "ab"[number % 2]), TurnOutput())
    keys = [each.conversation.channel for each in await store.conversations(platform="a")]
    assert keys == ["c2", "c0"]
    (first,) = await store.conversations(1, platform="b")
    (second,) = await store.conversations(2, before=first.updated_at, platform="b")
    assert (first.conversation.channel, second.conversation.channel) == ("c3", "c1")
    assert await store.conversations(platform="c") == []


async def test_the_last_of_an_export(store: Store) -> None:
    for number in range(5):
        message = AssistantMessage(role="assistant", content=f"reply {number}")
        await leave(store, conversation(0), TurnOutput(messages=(message,)))
    whole = await store.export(conversation(0))
    last = await store.export(conversation(0), 2)
    assert whole is not None
    assert last is not None
    assert [each["message"]["content"] for each in last["messages"]] == ["reply 3", "reply 4"]
    assert last["events"] == whole["events"][-2:]
    assert len(whole["messages"]) == 5
    assert last["conversation"] == whole["conversation"]
