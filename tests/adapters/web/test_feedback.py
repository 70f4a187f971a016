"""Thumbs, and what is said with them."""

from __future__ import annotations

from pathlib import Path

from web_visitor import Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.turn import Turn
from botkit.types import ConversationKey


async def rate(visitor: Visitor, message: str, value: str, **fields: str) -> int:
    body = {"message": message, "value": value, **fields}
    return (await visitor.ask("POST", "/web/feedback", json=body))[0]


async def test_the_last_counts_and_the_bot_hears(tmp_path: Path) -> None:
    bot = Bot()
    heard: list[tuple[str, str, str]] = []

    @bot.feedback
    async def feedback(turn: Turn) -> None:
        heard.append((turn.event.message_id, turn.event.value, turn.event.text))

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("hello")
            await page.answered(said)
            reply = page.replies(said)[0]["id"]
            assert await rate(visitor, reply, "positive") == 202
            assert await rate(visitor, reply, "negative", comment=" too short ") == 202
            await page.until(lambda: len(page.entries) == 4)
            ratings = [each for each in page.entries if each["role"] == "rating"]
            assert [(each["id"], each["about"], each["value"]) for each in ratings] == [
                (f"r_{reply}", reply, "positive"),
                (f"r_{reply}", reply, "negative"),
            ]
            assert ratings[1]["comment"].strip() == "too short"
            await site.idle()
            assert heard == [(reply, "positive", ""), (reply, "negative", "too short")]
            where = ConversationKey("web", "site", visitor.session)
            kept = await site.application.store.feedback(where)
            assert [(each.message_id, each.value, each.comment) for each in kept][-1] == (
                reply,
                "negative",
                "too short",
            )
            assert page.state == "idle"
            assert not any(data == {"state": "working"} for _, data in page.events)


async def test_what_cannot_be_rated(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        said = await visitor.say("hello")
        await page.answered(said)
        reply = page.replies(said)[0]["id"]
        stranger = await site.visitor()
        assert await rate(stranger, reply, "positive") == 404
        assert await rate(visitor, said, "positive") == 404
        assert await rate(visitor, "m999", "positive") == 404
        assert await rate(visitor, reply, "great") == 400
        assert await rate(visitor, reply, "positive", comment="x" * 2001) == 400
        assert await rate(visitor, reply, "positive", more="x") == 400
        assert await rate(visitor, "", "positive") == 400
        assert await rate(visitor, "m1\x00", "positive") == 400
        assert [each["role"] for each in page.entries] == ["user", "assistant"]
