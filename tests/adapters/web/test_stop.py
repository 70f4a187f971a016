"""The stop button: before the first word, in the middle, and too late."""

from __future__ import annotations

import asyncio
from pathlib import Path

from web_visitor import Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.turn import Turn

LONG = " ".join(f"word{number}" for number in range(200))


async def test_in_the_middle_what_is_shown_is_the_reply(site: Site, visitor: Visitor) -> None:
    site.completion.replies = [LONG]
    site.completion.delay = 0.02
    async with visitor.page() as page:
        said = await visitor.say("go on")
        await page.until(lambda: page.draft.count("word") > 3)
        await visitor.stop(said)
        text = await page.answered(said)
        assert LONG.startswith(text)
        assert 3 < text.count("word") < 100
        assert page.replies(said)[0]["stopped"] is True
        assert text.startswith(page.drafts[-1])
        await site.idle()
        assert site.completion.counts.cancelled == 1
        # What was shown is what the bot remembers.
        site.completion.delay, site.completion.replies = 0.0, lambda request: repr(request.messages)
        remembered = await page.answered(await visitor.say("and now?"))
        assert text in remembered


async def test_before_the_first_word_there_is_an_empty_reply(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page() as page:
        said = await visitor.say("wait")
        await page.until(lambda: page.state == "working")
        await visitor.stop(said)
        await page.until(lambda: page.replies(said) and page.state == "idle")
        reply = page.replies(said)[0]
        assert "text" not in reply
        assert reply["stopped"] is True
        site.completion.gate.set()
        assert (await page.answered(await visitor.say("again"))).endswith(": again")


async def test_before_its_turn_begins(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page() as page:
        first = await visitor.say("first")
        await page.until(lambda: page.state == "working")
        second = await visitor.say("second")
        await visitor.stop(second)
        site.completion.gate.set()
        await page.answered(first)
        await page.until(lambda: page.replies(second) and page.state == "idle")
        assert page.replies(first)[0]["text"] == "1: first"
        assert "stopped" not in page.replies(first)[0]


async def test_too_late_or_of_nothing_it_does_nothing(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        said = await visitor.say("quick")
        await page.answered(said)
        await visitor.stop(said)
        await visitor.stop("nothing")
        status, body = await visitor.send(id="6fa9e589-12a2-4d3c-b76e-889c05dccd54", kind="stop")
        assert (status, body["error"]["code"]) == (400, "invalid_request")
        assert await page.answered(await visitor.say("next")) == "3: next"
        assert page.replies(said)[0]["text"] == "1: quick"


async def test_nobody_stops_another_visitors_reply(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page() as page:
        said = await visitor.say("mine")
        await page.until(lambda: page.state == "working")
        stranger = await site.visitor()
        await stranger.stop(said)
        site.completion.gate.set()
        assert await page.answered(said) == "1: mine"


async def test_a_reply_that_begins_anew_is_a_new_draft(tmp_path: Path) -> None:
    bot = Bot()
    texts = ["one two", "one two three", "one", "other", "other words"]

    @bot.default
    async def answer(turn: Turn) -> str:
        return "unused"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        adapter = site.application.adapters["web"]
        async with visitor.page() as page:
            said = await visitor.say("hello")
            await page.answered(said)
            scene = next(iter(adapter._hub._scenes.values()))  # type: ignore[attr-defined]
            draft = None
            for text in texts:
                draft = scene.show(draft, said, text)
                await page.until(lambda text=text: page.draft == text)
            drafts = [data for name, data in page.events if name == "draft"][-5:]
            assert [each["at"] for each in drafts] == [0, 7, 0, 0, 5]
            assert len({each["draft"] for each in drafts}) == 3
