"""What the API tells, of a bot that runs on a real store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stage import StageAdapter, event
from waiting import until

from botkit import Bot, Turn
from botkit.completion.scripted import ScriptedCompletion
from botkit.console.answers import answer
from botkit.errors import DeliveryRefusedError, StoreError
from botkit.types import ConversationKey, Sender

HOSTILE = "<img src=x onerror=\"document.title='owned'\">/../?#&\u2028\u202e"


async def test_the_overview_counts(console: Any) -> None:
    async with console() as opened:
        empty = await opened.get("overview")
        assert empty["recorded"] == empty["running"] == empty["queued"] == 0
        assert empty["reply"] == {"count": 0, "p50": None, "p95": None}
        for number in range(4):
            await opened.stage.say(f"hello {number}")
        await opened.stage.replies(4)
        await opened.stage.idle()
        told = await opened.get("overview")
        assert told["recorded"] == told["per_minute"] == 4
        assert told["outcomes"] == {"answered": 4}
        assert told["ready"] is True
        assert told["model"] == "echo"
        for measure in ("queue", "first_token", "reply"):
            assert told[measure]["count"] == 4
            assert 0 <= told[measure]["p50"] <= told[measure]["p95"] < 10
        assert told["first_token"]["p50"] < told["reply"]["p50"]
        assert told["tokens"]["input"] > 0
        assert told["tokens"]["output"] > 0
        assert 0 < told["bytes"] < 200_000


async def test_conversations_come_latest_first_in_pages(console: Any) -> None:
    async with console() as opened:
        for number in range(5):
            await opened.stage.say("hello", channel=f"c{number}")
            await opened.stage.replies(1, channel=f"c{number}")
            await opened.stage.idle()
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        pages = 0
        while True:
            page = await opened.get("conversations", **query)
            seen += [each["conversation"]["channel"] for each in page["conversations"]]
            pages += 1
            if page["next"] is None:
                break
            query["before"] = repr(page["next"])
        assert (pages, seen) == (3, ["c4", "c3", "c2", "c1", "c0"])
        assert page["platforms"] == ["stage"]
        first = page["conversations"][0]
        assert (first["messages"], first["queued"], first["turns"], first["live"]) == (2, 0, 1, 0)
        mine = await opened.get("conversations", platform="stage")
        assert len(mine["conversations"]) == 5
        other = await opened.get("conversations", platform="slack")
        assert other["conversations"] == []


async def test_a_conversation_shows_everything_that_is_kept(console: Any) -> None:
    bot = Bot()

    @bot.default
    async def count(turn: Turn) -> str:
        turn.state["count"] = turn.state.get("count", 0) + 1
        return f"this is {turn.state['count']}"

    async with console(bot) as opened:
        await opened.stage.say("one")
        await opened.stage.say("two")
        await opened.stage.replies(2)
        await opened.stage.idle()
        await opened.stage.hear(
            event("why not", kind="feedback", value="negative", message_id="m2")
        )
        await opened.stage.idle()
        listed = await opened.get("conversations")
        key = listed["conversations"][0]["conversation"]["key"]
        told = await opened.get("conversation", key=key)
        said = [(each["role"], each["text"]) for each in told["messages"]]
        assert said[:4] == [
            ("user", "one"),
            ("assistant", "this is 1"),
            ("user", "two"),
            ("assistant", "this is 2"),
        ]
        assert '"count": 2' in told["state"]
        (given,) = told["feedback"]
        assert (given["value"], given["comment"]) == ("negative", "why not")
        assert given["reply"] == "this is 2"
        assert [each["text"] for each in told["deliveries"]] == ["this is 1", "this is 2"]
        assert all(each["done_at"] for each in told["deliveries"])
        assert len(told["turns"]) == 3
        turns = {each["id"] for each in told["turns"]}
        assert all(each["turn"] in turns for each in told["messages"])
        assert {each["conversation"]["key"] for each in told["turns"]} == {key}
        assert told["earlier"] is False
        short = await opened.get("conversation", key=key, limit=1)
        assert short["messages"] == told["messages"][-1:]
        assert short["earlier"] is True


async def test_feedback_of_all_conversations_comes_latest_first(console: Any) -> None:
    async with console() as opened:
        for channel, value in (("c1", "positive"), ("c2", "negative")):
            await opened.stage.hear(
                event(HOSTILE, channel, kind="feedback", value=value, message_id="m1")
            )
            await opened.stage.idle()
        told = await opened.get("feedback")
        assert [each["conversation"]["channel"] for each in told["feedback"]] == ["c2", "c1"]
        assert told["feedback"][0]["comment"] == HOSTILE
        only = await opened.get("feedback", value="positive")
        assert [each["value"] for each in only["feedback"]] == ["positive"]


async def test_a_dead_letter_is_tried_again_at_once(console: Any) -> None:
    adapter = StageAdapter(failures=[DeliveryRefusedError("channel_gone")])
    async with console(adapter=adapter) as opened:
        await opened.stage.say("hello")
        await until(lambda: adapter.deliveries == 1)
        await opened.stage.idle()
        (letter,) = (await opened.get("dead-letters"))["dead_letters"]
        assert (letter["kind"], letter["reason"]) == ("delivery", "channel_gone")
        assert "you said: hello" in letter["text"]
        assert '"channel": "c1"' in letter["content"]
        assert letter["conversation"]["channel"] == "c1"
        assert (await opened.get("overview"))["dead_letters"] == 1
        shown = await opened.get("conversation", key=letter["conversation"]["key"])
        assert [each["reason"] for each in shown["dead_letters"]] == ["channel_gone"]

        retry = f"dead-letters/{letter['id']}/retry"
        assert await opened.post(retry) == {"retried": letter["id"]}
        await opened.stage.replies(1)
        await opened.stage.idle()
        assert (await opened.get("dead-letters"))["dead_letters"] == []
        await opened.post(retry, 404)


async def test_a_retry_is_json_that_no_other_page_can_send(console: Any) -> None:
    async with console() as opened:
        for options in (
            {"data": "{}", "headers": {**opened.headers, "content-type": "text/plain"}},
            {"data": {"a": "b"}},
            {"json": []},
            {"data": "{", "headers": {**opened.headers, "content-type": "application/json"}},
            {"data": b"\xff", "headers": {**opened.headers, "content-type": "application/json"}},
        ):
            await opened.post("dead-letters/1/retry", 400, **{"json": None, **options})
        where = f"{opened.address}/console/api/dead-letters/1/retry"
        async with opened.http.get(where, headers=opened.headers) as reply:
            assert reply.status == 405


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        *(("turns", {"limit": limit}, 400) for limit in ("0", "-1", "x", "501", "1e3", "9" * 40)),
        *(("conversations", {"before": each}, 400) for each in ("nan", "inf", "-1", "1e400", "x")),
        *(("conversations", {"platform": p}, 400) for p in ("../x", "Slack", "x" * 100, "a b")),
        ("feedback", {"value": "neutral"}, 400),
        *(("conversation", {"key": key}, 400) for key in ("", "stage", "a:b:c:d:e")),
        ("conversation", {"key": "stage:s:nowhere:"}, 404),
        ("conversation", {"key": f"stage:s:{'x' * 5000}:"}, 404),
        ("turns/nothing", {}, 404),
        (f"turns/{'x' * 5000}", {}, 404),
    ],
)
async def test_a_wrong_question_is_answered_with_a_sentence(
    console: Any, path: str, query: dict[str, str], status: int
) -> None:
    async with console() as opened:
        await opened.get(path, status, **query)


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 19, "9" * 40])
async def test_a_dead_letter_has_a_number(console: Any, number: str) -> None:
    async with console() as opened:
        await opened.post(f"dead-letters/{number}/retry", 400)


async def test_a_store_that_is_away_is_a_503(console: Any, monkeypatch: Any) -> None:
    async with console() as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()

        async def away(*given: Any, **options: Any) -> Any:
            raise StoreError("away")

        for name in ("stats", "conversations", "export", "latest_feedback", "dead_letters"):
            monkeypatch.setattr(opened.stage.application.store, name, away)
        monkeypatch.setattr(opened.stage.application.store, "retry_dead_letter", away)
        for path in ("overview", "conversations", "feedback", "dead-letters"):
            await opened.get(path, 503)
        await opened.get("conversation", 503, key="stage:s:c1:")
        await opened.post("dead-letters/1/retry", 503)


async def test_hostile_names_and_texts_come_through_as_they_are(console: Any) -> None:
    where = ConversationKey("stage", HOSTILE, HOSTILE, HOSTILE)
    async with console() as opened:
        await opened.stage.hear(event(HOSTILE, conversation=where, sender=Sender(HOSTILE, HOSTILE)))
        await opened.stage.replies(1, channel=HOSTILE)
        await opened.stage.idle()
        (listed,) = (await opened.get("conversations"))["conversations"]
        assert listed["conversation"]["channel"] == HOSTILE
        told = await opened.get("conversation", key=listed["conversation"]["key"])
        assert told["messages"][0]["text"] == HOSTILE
        turn = await opened.last_turn()
        assert turn["conversation"]["key"] == listed["conversation"]["key"]
        assert "onerror" not in str(turn["spans"])


async def test_an_erased_conversation_is_not_linked_any_more(console: Any) -> None:
    async with console() as opened:
        await opened.stage.say("hello")
        await opened.stage.replies(1)
        await opened.stage.idle()
        linked = await opened.last_turn()
        assert linked["conversation"]["channel"] == "c1"
        await opened.stage.application.store.erase(ConversationKey("stage", "s", "c1"))
        directory = opened.stage.application._console._api.directory
        directory._asked = -1e9
        turn = await opened.last_turn()
        assert turn["conversation"] is None
        assert turn["pseudonym"] == linked["pseudonym"]


async def test_a_turn_under_way_is_there_and_grows(console: Any) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["at last"], gate=gate)
    async with console(completion=completion) as opened:
        await opened.stage.say("hello")
        await until(lambda: completion.counts.running == 1)
        turn = await opened.last_turn()
        assert turn["live"] is True
        assert turn["seconds"] is None
        assert turn["outcome"] == ""
        assert turn["spans"][-1]["name"] == "chat scripted"
        assert turn["spans"][-1]["ended"] is None
        assert (await opened.get("overview"))["running"] == 1
        (listed,) = (await opened.get("conversations"))["conversations"]
        assert listed["live"] == 1
        gate.set()
        await opened.stage.replies(1)
        await opened.stage.idle()
        later = await opened.get(f"turns/{turn['id']}")
        assert later["outcome"] == "answered"
        assert len(later["spans"]) > len(turn["spans"])


def test_half_a_character_breaks_nothing() -> None:
    assert answer({"text": "\ud83d"}).body
