"""What is said, shown while it is written, and shown again."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from web_visitor import Shown, Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Button, Reply
from botkit.turn import Turn


async def test_a_reply_is_shown_while_it_is_written_and_stays(site: Site, visitor: Visitor) -> None:
    reply = " ".join(f"word{number}" for number in range(200))
    site.completion.replies = [reply]
    site.completion.delay = 0.01
    async with visitor.page() as page:
        said = await visitor.say("hello there")
        assert await page.answered(said) == reply
        assert page.texts == ["hello there", reply]
        assert len(page.drafts) > 5
        assert all(reply.startswith(draft) for draft in page.drafts)
        assert page.draft == ""
    again = Shown()
    async with visitor.page(again):
        assert again.texts == page.texts
        assert again.resets == 1
        assert again.state == "idle"
    assert page.entries == again.entries


async def test_two_tabs_show_the_same(visitor: Visitor) -> None:
    async with visitor.page() as first, visitor.page() as second:
        said = await visitor.say("in one of them")
        await first.answered(said)
        await second.answered(said)
        assert first.entries == second.entries


async def test_a_message_that_is_sent_again_is_one(site: Site, visitor: Visitor) -> None:
    said = str(uuid.uuid4())
    answers = [await visitor.send(id=said, text="once") for _ in range(3)]
    at_once = await asyncio.gather(*(visitor.send(id=said, text="twice") for _ in range(5)))
    assert {(status, body["seq"]) for status, body in [*answers, *at_once]} == {(202, 1)}
    await site.idle()
    async with visitor.page() as page:
        assert page.texts == ["once", "1: once"]
    assert site.completion.counts.started == 1


async def test_a_message_is_kept_before_it_is_taken(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    said = await visitor.say("kept")
    async with visitor.page() as page:
        assert page.texts == ["kept"]
        await page.until(lambda: (page.state, page.reply_to) == ("working", said))
        site.completion.gate.set()
        await page.answered(said)


async def test_a_message_behind_another_waits(site: Site, visitor: Visitor) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page() as page:
        first = await visitor.say("first")
        await page.until(lambda: page.state == "working")
        second = await visitor.say("second")
        await page.until(lambda: len(page.texts) == 2)
        assert (page.state, page.reply_to) == ("working", first)
        site.completion.gate.set()
        await page.answered(second)
        assert page.texts == ["first", "second", "1: first", "3: second"]


async def test_a_message_waits_while_the_bot_has_no_room(tmp_path: Path) -> None:
    completion = ScriptedCompletion(gate=asyncio.Event())
    async with bot_on_the_web(tmp_path, completion=completion, concurrent_turns=1) as site:
        busy, waiting = await site.visitor(), await site.visitor()
        async with busy.page() as ahead, waiting.page() as page:
            await busy.say("first come")
            await ahead.until(lambda: ahead.state == "working")
            said = await waiting.say("then served")
            await page.until(lambda: (page.state, page.reply_to) == ("queued", said))
            async with waiting.page() as again:
                assert (again.state, again.reply_to) == ("queued", said)
            assert completion.gate is not None
            completion.gate.set()
            await page.answered(said)


async def test_commands_are_listed_and_typed(tmp_path: Path) -> None:
    bot = Bot()

    @bot.command("order", description="Order something")
    async def order(turn: Turn, what: str) -> str:
        return f"ordered {what}"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        commands = {each["name"]: each["description"] for each in visitor.about["bot"]["commands"]}
        assert commands["order"] == "Order something"
        async with visitor.page() as page:
            typed = await visitor.say("/order tea")
            assert await page.answered(typed) == "ordered tea"
            chosen = await visitor.say("two  coffees", kind="command", name="order")
            assert await page.answered(chosen) == "ordered two coffees"
            users = [each for each in page.entries if each["role"] == "user"]
            assert [each["kind"] for each in users] == ["command", "command"]
            assert [each["text"] for each in users] == ["/order tea", "/order two  coffees"]


async def test_a_bot_that_hands_off_offers_a_person(tmp_path: Path) -> None:
    bot = Bot()

    @bot.hand_off
    async def human(turn: Turn, reason: str) -> str:
        return f"somebody comes: {reason}"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        assert visitor.about["bot"]["human"] is True
        async with visitor.page() as page:
            said = await visitor.say(kind="command", name="human")
            assert await page.answered(said) == "somebody comes: asked"


async def test_the_bot_may_greet_once(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        await asyncio.gather(*(visitor.say(kind="start") for _ in range(3)))
        await page.until(lambda: page.replies() and page.state == "idle")
        await visitor.say(kind="start")
        await site.idle()
        said = await visitor.say("hello")
        await page.answered(said)
        assert page.texts == ["Hello! Ask me anything.", "hello", page.texts[-1]]


async def test_buttons_that_are_there_can_be_pressed_and_no_others(tmp_path: Path) -> None:
    bot = Bot()
    pressed: list[tuple[str, str, str]] = []

    @bot.message("buttons")
    async def offer() -> Reply:
        return Reply(
            "Sure?",
            buttons=(Button("Yes, please", "confirm", "1", style="primary"), Button("No", "deny")),
            suggestions=("What else?",),
            feedback=True,
        )

    @bot.action("confirm")
    async def confirm(turn: Turn) -> str:
        event = turn.event
        pressed.append((event.name, event.value, event.message_id))
        return "done"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("buttons")
            await page.answered(said)
            reply = page.replies(said)[0]
            assert reply["buttons"] == [
                {"label": "Yes, please", "id": "confirm", "value": "1", "style": "primary"},
                {"label": "No", "id": "deny"},
            ]
            assert reply["suggestions"] == ["What else?"]
            assert reply["feedback"] is True
            about = {"kind": "action", "about": reply["id"]}
            for fields in (
                {"name": "confirm", "value": "2"},
                {"name": "confirm"},
                {"name": "erase_everything", "value": "1"},
                {"name": "", "value": ""},
                {"name": "confirm", "value": "1", "about": "m999"},
                {"name": "confirm", "value": "1", "about": said},
            ):
                fresh = {"id": str(uuid.uuid4()), **about, **fields}
                status, body = await visitor.send(**fresh)
                assert (status, body["error"]["code"]) == (400, "invalid_request"), fields
            press = await visitor.say(**about, name="confirm", value="1", label="Made up")
            assert await page.answered(press) == "done"
            shown = next(each for each in page.entries if each["id"] == press)
            assert (shown["kind"], shown["text"]) == ("action", "Yes, please")
            assert pressed == [("confirm", "1", reply["id"])]
            stranger = await site.visitor()
            status, _ = await stranger.send(
                id=str(uuid.uuid4()), **about, name="confirm", value="1"
            )
            assert status == 400


async def test_long_buttons_can_be_pressed(tmp_path: Path) -> None:
    bot = Bot()
    label, name, value = "l" * 2000, "n" * 300, "v" * 20_000

    @bot.message("buttons")
    async def offer() -> Reply:
        return Reply("Sure?", buttons=(Button(label, name, value),))

    @bot.action(name)
    async def pressed(turn: Turn) -> str:
        return f"{len(turn.event.value)}"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("buttons")
            await page.answered(said)
            about, button = page.replies(said)[0]["id"], page.replies(said)[0]["buttons"][0]
            fields = {"name": button["id"], "value": button["value"], "label": button["label"]}
            press = await visitor.say(kind="action", about=about, **fields)
            assert await page.answered(press) == "20000"


async def test_an_edited_message_takes_the_place_of_the_last(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        first = await visitor.say("helo")
        await page.answered(first)
        second = await visitor.say("hello", replaces=first)
        assert await page.answered(second) == "1: hello"
        assert page.texts == ["hello", "1: hello"]
        third = await visitor.say("hello", replaces=second)  # ask again
        assert await page.answered(third) == "1: hello"
        async with visitor.page() as other:
            assert other.texts == page.texts == ["hello", "1: hello"]
            assert other.entries == page.entries
        assert [each.get("replaces") for each in page.entries] == [second, None]


async def test_what_is_replaced_while_it_is_answered_says_nothing(
    site: Site, visitor: Visitor
) -> None:
    site.completion.gate = asyncio.Event()
    async with visitor.page() as page:
        first = await visitor.say("helo")
        await page.until(lambda: page.state == "working")
        second = await visitor.say("hello", replaces=first)
        third = await visitor.say("hello!", replaces=second)
        site.completion.gate.set()
        assert await page.answered(third) == "1: hello!"
        await site.idle()
        assert page.texts == ["hello!", "1: hello!"]


async def test_only_a_message_of_ones_own_is_replaced(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        said = await visitor.say("mine")
        await page.answered(said)
        stranger = await site.visitor()
        for who, name in ((stranger, said), (visitor, page.replies()[0]["id"]), (visitor, "no")):
            status, body = await who.send(id=str(uuid.uuid4()), text="x", replaces=name)
            assert (status, body["error"]["code"]) == (400, "invalid_request")
        assert page.texts == ["mine", "1: mine"]


@pytest.mark.parametrize("command", ["reset", "forget"])
async def test_what_is_erased_is_gone_from_open_pages(
    site: Site, visitor: Visitor, command: str
) -> None:
    async with visitor.page() as page:
        await page.answered(await visitor.say("a secret"))
        before = page.resets
        said = await visitor.say(kind="command", name=command)
        await page.until(lambda: page.resets > before and page.replies(said))
        assert "a secret" not in "".join(page.texts)
        assert len(page.replies()) == 1
        again = await visitor.say("anew")
        assert await page.answered(again) == "1: anew"
    async with visitor.page() as other:
        assert other.entries == page.entries


async def test_a_turn_that_says_nothing_ends(tmp_path: Path) -> None:
    bot = Bot()

    @bot.message("hush")
    async def hush() -> None:
        return None

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("hush")
            await page.until(
                lambda: ("status", {"state": "working", "reply_to": said}) in page.events
            )
            await page.until(lambda: page.state == "idle")
            assert page.texts == ["hush"]
        async with visitor.page() as other:
            assert other.state == "idle"


async def test_interim_replies_and_what_is_streamed_after_them(tmp_path: Path) -> None:
    bot = Bot()

    @bot.message("both")
    async def both(turn: Turn):  # type: ignore[no-untyped-def]
        yield "one "
        await turn.reply("by the way")
        yield "two "
        yield "three"

    async with bot_on_the_web(tmp_path, bot) as site:
        visitor = await site.visitor()
        async with visitor.page() as page:
            said = await visitor.say("both")
            await page.until(lambda: len(page.replies(said)) == 2 and page.state == "idle")
            assert page.texts == ["both", "by the way", "one two three"]


async def test_earlier_entries_come_on_request(site: Site, visitor: Visitor) -> None:
    for number in range(6):
        await visitor.say(str(number))
        await site.idle()
    status, body = await visitor.ask("GET", "/web/messages?before=9&limit=3")
    assert status == 200
    assert [each["seq"] for each in body["entries"]] == [6, 7, 8]
    assert body["more"] is True
    _, body = await visitor.ask("GET", "/web/messages?before=4")
    assert [each["seq"] for each in body["entries"]] == [1, 2, 3]
    assert body["more"] is False
    for wrong in ("before=0", "before=x", "limit=-1", "limit=1e9", "before=99999999999999999999"):
        status, body = await visitor.ask("GET", f"/web/messages?{wrong}")
        assert (status, body["error"]["code"]) == (400, "invalid_request"), wrong


async def test_a_long_conversation_begins_with_its_end(site: Site, visitor: Visitor) -> None:
    store = site.application.store
    where = f"web:site:{visitor.session}:"
    from botkit.types import ConversationKey

    for number in range(230):
        entry = {"id": f"n{number}", "role": "assistant", "text": str(number)}
        await store.feed.append(ConversationKey.parse(where), f"n{number}", entry)
    async with visitor.page() as page:
        assert [each["seq"] for each in page.entries] == list(range(31, 231))
    late = Shown(cursor=f"{page.cursor.split('.')[0]}.5.-.0")
    async with visitor.page(late):
        assert late.resets == 1
        assert len(late.entries) == 200
    recent = Shown(cursor=f"{page.cursor.split('.')[0]}.225.-.0")
    async with visitor.page(recent):
        assert recent.resets == 0
        assert [each["seq"] for each in recent.entries] == [226, 227, 228, 229, 230]


async def test_fifty_visitors_at_once(tmp_path: Path) -> None:
    completion = ScriptedCompletion(
        lambda request: f"you said {request.messages[-1].content} " + "and more " * 10,  # type: ignore[union-attr]
        delay=0.002,
    )
    async with bot_on_the_web(tmp_path, completion=completion) as site:

        async def visit(number: int) -> None:
            visitor = await site.visitor()
            async with visitor.page() as page:
                for turn in range(3):
                    text = f"{number}/{turn}"
                    reply = await page.answered(await visitor.say(text))
                    assert reply.startswith(f"you said {text} ")
                    assert all(reply.startswith(draft.strip()) for draft in page.drafts)
                    page.drafts.clear()
                assert len(page.texts) == 6

        await asyncio.gather(*(visit(number) for number in range(50)))
        assert completion.counts.started == 150


async def test_every_answer_can_be_rated_and_nothing_else(visitor: Visitor) -> None:
    async with visitor.page() as page:
        for text, rated in (("hello", True), ("/help", False)):
            said = await visitor.say(text)
            await page.answered(said)
            assert page.replies(said)[0].get("feedback", False) is rated
