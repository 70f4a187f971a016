"""Messages that take the place of another: exactly what they stand for goes, once."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from web_visitor import Shown, Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.feed import FeedEntry
from botkit.turn import Turn
from botkit_adapters.web.correcting import REMOVED, correction, unanswered
from botkit_adapters.web.refusals import RefusalError


async def kept(visitor: Visitor) -> list[dict[str, Any]]:
    """What a page that is loaded anew would show."""
    status, body = await visitor.ask("GET", "/web/messages?limit=100")
    assert status == 200
    return list(body["entries"])


async def refused(visitor: Visitor, **fields: Any) -> str:
    status, body = await visitor.send(id=str(uuid.uuid4()), **fields)
    assert (status, body["error"]["code"]) == (400, "invalid_request")
    return str(body["error"]["message"])


def entry(seq: int, key: str, role: str, **value: Any) -> FeedEntry:
    return FeedEntry(seq, key, {"id": key, "role": role, **value}, 0.0)


def reply(seq: int, to: str) -> FeedEntry:
    return entry(seq, f"m{seq}", "assistant", reply_to=to)


async def test_a_page_that_was_away_for_several_corrections_shows_the_last(
    site: Site, visitor: Visitor
) -> None:
    away = Shown()
    async with visitor.page(away) as page:
        said = await visitor.say("one")
        await page.answered(said)
    for text in ("two", "three", "four"):
        said = await visitor.say(text, replaces=said)
        async with visitor.page(Shown()) as page:
            await page.answered(said)
    async with visitor.page(away):
        await away.until(lambda: away.texts == ["four", "1: four"])
        assert away.resets == 1
        assert away.entries == await kept(visitor)


async def test_what_answers_something_else_stays(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page(Shown()) as page:
        first = await visitor.say("first")
        await page.until(lambda: page.state == "working")
        second = await visitor.say("second")
        site.completion.gate.set()
        await page.answered(second)
        await visitor.ask(
            "POST",
            "/web/feedback",
            json={"message": page.replies(first)[0]["id"], "value": "positive"},
        )
        about = page.replies(second)[0]["id"]
        await visitor.ask("POST", "/web/feedback", json={"message": about, "value": "negative"})
        await page.until(lambda: len(page.entries) == 6)
        third = await visitor.say("third", replaces=second)
        await page.answered(third)
        assert [each["role"] for each in page.entries] == [
            "user",
            "assistant",
            "rating",
            "user",
            "assistant",
        ]
        assert page.texts[:2] == ["first", "1: first"]
        assert page.texts[2] == "third"
        assert page.entries == await kept(visitor)
        assert page.entries[3]["removes"] == [second, about, f"r_{about}"]


async def test_only_the_last_message_is_replaced(site: Site, visitor: Visitor) -> None:
    async with visitor.page(Shown()) as page:
        first = await visitor.say("first")
        second = await visitor.say("second")
        await page.answered(second)
        assert "last message" in await refused(visitor, text="x", replaces=first)
        third = await visitor.say("third", replaces=second)
        await page.answered(third)
        await refused(visitor, text="x", replaces=second)
        await refused(visitor, kind="action", name="x", about="m1", replaces=third)
        assert page.texts[-2] == "third"


async def test_of_two_that_correct_the_same_one_does(site: Site, visitor: Visitor) -> None:
    async with visitor.page(Shown()) as page:
        first = await visitor.say("first")
        await page.answered(first)
        answers = await asyncio.gather(
            *(visitor.send(id=str(uuid.uuid4()), text=text, replaces=first) for text in "abcd")
        )
        assert sorted(status for status, _ in answers) == [202, 400, 400, 400]
        taken = next(body["id"] for status, body in answers if status == 202)
        await page.answered(taken)
        await site.idle()
        assert [each["id"] for each in await kept(visitor)] == [taken, page.replies()[0]["id"]]


async def test_what_comes_while_it_is_corrected_is_seen(
    site: Site, visitor: Visitor, monkeypatch: Any
) -> None:
    async with visitor.page(Shown()) as page:
        first = await visitor.say("first")
        await page.answered(first)
        feed = type(site.application.store.feed)
        append, between = feed.append, [True]

        async def late(self: Any, where: Any, key: str, value: Any, **options: Any) -> Any:
            if options.get("at") is not None and between.pop():
                between.append(False)
                more = {"id": "m99", "role": "assistant", "reply_to": first, "text": "late"}
                await append(self, where, "m99", more)
            return await append(self, where, key, value, **options)

        monkeypatch.setattr(feed, "append", late)
        second = await visitor.say("second", replaces=first)
        await page.answered(second)
        assert "late" not in [each.get("text") for each in await kept(visitor)]


async def test_a_message_that_is_gone_and_comes_again_stays_gone(
    site: Site, visitor: Visitor
) -> None:
    async with visitor.page(Shown()) as page:
        first = str(uuid.uuid4())
        status, _ = await visitor.send(id=first, text="first")
        assert status == 202
        await page.answered(first)
        second = await visitor.say("second", replaces=first)
        await page.answered(second)
        again = await visitor.send(id=first, text="first")
        assert again == (202, {"id": first, "seq": 0})
        again = await visitor.send(id=second, text="second", replaces=first)
        assert again[0] == 202
        await site.idle()
        assert page.texts == ["second", "1: second"]
        assert site.completion.counts.started == 2
        reset = await visitor.say(kind="command", name="reset")
        await page.until(lambda: page.replies(reset) and page.state == "idle")
        for said, text in ((second, "second"), (first, "first")):
            assert await visitor.send(id=said, text=text) == (202, {"id": said, "seq": 0})
        again = await visitor.send(id=reset, kind="command", name="reset")
        assert again == (202, {"id": reset, "seq": 0})
        await site.idle()
        assert [each["role"] for each in await kept(visitor)] == ["assistant"]
        assert site.completion.counts.started == 2


async def test_a_reply_to_what_was_replaced_is_never_shown(tmp_path: Path) -> None:
    bot = Bot()
    go = asyncio.Event()

    @bot.default
    async def answer(turn: Turn) -> str:
        if turn.text == "slow":
            await go.wait()
        return f"answer to {turn.text}"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page(Shown()) as page:
            before = await visitor.say("before")
            await page.answered(before)
            about = {"message": page.replies(before)[0]["id"], "value": "positive"}
            slow = await visitor.say("slow")
            await page.until(lambda: page.state == "working")
            quick = await visitor.say("quick", replaces=slow)
            for _ in range(22):  # more than anybody would look through
                await visitor.ask("POST", "/web/feedback", json=about)
            go.set()
            await page.answered(quick)
            await site.idle()
            assert page.texts == ["before", "answer to before", "quick", "answer to quick"]
            assert page.state == "idle"


def test_what_goes_is_bounded() -> None:
    said, seq = entry(1, "u1", "user", removes=[f"x{each}" for each in range(500)]), 2
    found = correction([said, reply(seq, "u1")], "u1")
    named = found.fields["removes"]
    assert isinstance(named, list)
    assert len(named) == REMOVED
    assert named[-2:] == ["u1", "m2"]
    assert found.removes == ["u1", "m2"]


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "rating"]), st.integers(0, 5))))
def test_whatever_is_there_the_last_message_and_what_is_about_it_go(
    given_: list[tuple[str, int]],
) -> None:
    entries = []
    for seq, (role, about) in enumerate(given_, 1):
        names = {"assistant": "reply_to", "rating": "about"}
        fields = {names[role]: f"k{about}"} if role in names else {}
        entries.append(entry(seq, f"k{seq}", role, **fields))
    users = [each.key for each in entries if each.value["role"] == "user"]
    for each in entries:
        try:
            found = correction(entries, each.key)
        except RefusalError as error:
            assert (error.status, users[-1:] == [each.key]) == (400, False)  # noqa: PT017
        else:
            assert users[-1] == each.key == found.removes[0]
            gone = {one.key: one.value for one in entries if one.key in found.removes}
            for key, value in gone.items():
                assert (
                    key == each.key or value.get("reply_to") == each.key or value["about"] in gone
                )


def test_what_has_no_answer_yet() -> None:
    one, two = entry(1, "u1", "user"), entry(2, "u2", "user")
    rating = entry(4, "r", "rating", about="m1")
    hello = entry(5, "m5", "assistant")
    assert unanswered([]) is None
    assert unanswered([one, two, reply(3, "u1"), rating]) is two
    assert unanswered([one, two, reply(3, "u2")]) is None
    assert unanswered([one, hello]) is None
    assert unanswered([hello, one]) is one
