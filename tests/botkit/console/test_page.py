"""The console in a real browser, as somebody uses it who holds the key, and who does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser import ARGUMENTS, CHROMIUM, skip_without_browser
from stage import StageAdapter, event
from waiting import until

from botkit import Bot, Turn
from botkit.completion.scripted import ScriptedCompletion
from botkit.console.page import FILES, policy
from botkit.errors import DeliveryRefusedError
from botkit.types import ConversationKey, Sender

skip_without_browser()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

KEY = "a key of the console's own"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
AXE = Path(__file__).parents[3] / "adapters/widget/node_modules/axe-core/axe.min.js"
WIDTHS = (320, 390, 768, 1280)


@dataclass
class Reader:
    """The page, and whatever went wrong in it."""

    page: Any
    address: str
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def view(self) -> Any:
        return self.page.locator("#view")

    async def open(self, hash: str = "", key: str = KEY) -> None:
        await self.page.goto(f"{self.address}/console{hash}")
        await self.page.get_by_label("Key").fill(key)
        await self.page.keyboard.press("Enter")

    async def heading(self, text: str | re.Pattern[str]) -> None:
        await playwright.expect(self.view.get_by_role("heading", level=1)).to_contain_text(text)

    async def follow(self, text: str) -> None:
        await self.page.get_by_label("Console").get_by_role("link", name=text).click()
        await self.heading(text)

    async def sees(self, text: str) -> None:
        await playwright.expect(self.view).to_contain_text(text)


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    async with playwright.async_playwright() as driver:
        launched = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def read(browser: Any) -> AsyncIterator[Any]:
    """Open a page that may fail at nothing and ask nobody else for anything."""
    readers: list[Reader] = []

    async def begin(address: str, **context: Any) -> Reader:
        page = await (await browser.new_context(**context)).new_page()
        page.set_default_timeout(10_000)
        reader = Reader(page, address)
        page.on("pageerror", lambda error: reader.faults.append(str(error)))
        page.on("console", lambda said: reader.faults.append(said.text))
        page.on("request", lambda sent: reader.asked.append(sent.url))
        readers.append(reader)
        return reader

    yield begin
    for reader in readers:
        # A browser says so of each answer that is an error; which ones are is the test's matter.
        assert [f for f in reader.faults if "the server responded with a status of" not in f] == []
        foreign = [url for url in reader.asked if not url.startswith((reader.address, "data:"))]
        assert foreign == []


def some_bot() -> Bot:
    bot = Bot()

    @bot.default
    async def answer(turn: Turn) -> str:
        turn.state["said"] = turn.text
        with turn.part("look up", rows=3):
            return await turn.ask()

    return bot


async def test_the_key_is_asked_for_and_a_wrong_one_opens_nothing(console: Any, read: Any) -> None:
    async with console() as opened:
        await opened.stage.say("a secret of somebody")
        await opened.stage.replies(1)
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open(key="guessed")
        alert = reader.page.locator("#refused")
        await playwright.expect(alert).to_have_text("That is not the console's key.")
        await playwright.expect(reader.page.get_by_label("Key")).to_be_focused()
        await playwright.expect(reader.page.locator("#bar")).to_be_hidden()
        assert await reader.view.inner_text() == ""
        await reader.page.get_by_label("Key").fill("schlüssel")  # which no header can carry
        await reader.page.keyboard.press("Enter")
        await playwright.expect(alert).to_have_text("That is not the console's key.")
        await reader.page.get_by_label("Key").fill(KEY)
        await reader.page.keyboard.press("Enter")
        await reader.heading("Overview")
        await playwright.expect(reader.page.locator("#gate")).to_be_hidden()

        await reader.page.reload()  # the tab keeps it
        await reader.heading("Overview")
        other = await read(opened.address)  # another does not
        await other.page.goto(f"{opened.address}/console")
        await playwright.expect(other.page.get_by_label("Key")).to_be_visible()
        await reader.page.get_by_role("button", name="Lock").click()
        await playwright.expect(reader.page.get_by_label("Key")).to_be_visible()
        assert await reader.view.inner_text() == ""
        assert await reader.page.evaluate("JSON.stringify(sessionStorage)") == "{}"


async def test_who_guesses_over_and_over_is_told_to_wait(console: Any, read: Any) -> None:
    async with console() as opened:
        reader = await read(opened.address)
        for number in range(12):
            await reader.open(key=f"guess {number}")
            await playwright.expect(reader.page.locator("#refused")).not_to_be_empty()
        await playwright.expect(reader.page.locator("#refused")).to_contain_text("Too many wrong")


async def test_the_shell_holds_no_data(console: Any) -> None:
    async with console() as opened:
        await opened.stage.say("a secret of somebody")
        await opened.stage.replies(1)
        pages = []
        for path in ("", *(f"/page/{name}" for name in FILES)):
            async with opened.http.get(f"{opened.address}/console{path}") as reply:
                assert reply.status == 200
                assert reply.headers["cache-control"] == "no-store"
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert reply.headers["x-frame-options"] == "DENY"
                pages.append(await reply.text())
                sent = reply.headers.get("content-security-policy", "")
                assert bool(sent) == (path == "")
                if sent:
                    nonce = re.search(r"'nonce-([\w-]{20,})'", sent)
                    assert nonce is not None
                    assert sent == policy(nonce[1])
                    assert pages[0].count(nonce[1]) == 2
        for text in pages:
            assert "a secret of somebody" not in text
            assert KEY not in text
            assert not re.search(r"\b(inner|outer)HTML|insertAdjacentHTML|\beval\b", text)
            assert not re.search(r"(?<!')https?://(?!www\.w3\.org/2000/svg)", text)
        async with opened.http.get(f"{opened.address}/console") as reply:
            assert await reply.text() != pages[0]  # another nonce


async def test_from_the_overview_to_a_conversation_and_its_turn(console: Any, read: Any) -> None:
    completion = ScriptedCompletion(["", "It is on its way to you."])
    async with console(some_bot(), completion=completion) as opened:
        await opened.stage.say("where is my parcel?", channel="C-ada")
        await opened.stage.replies(1, channel="C-ada")
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open()
        await reader.heading("Overview")
        await playwright.expect(reader.page.get_by_role("table")).to_have_count(2)
        await reader.sees("Turns a minute")

        await reader.follow("Conversations")
        await reader.view.get_by_role("link", name="C-ada").click()
        await reader.heading("C-ada")
        await playwright.expect(reader.view.get_by_role("heading", level=1)).to_be_focused()
        await reader.sees("where is my parcel?")
        await reader.sees("It is on its way to you.")
        await reader.view.locator("summary", has_text="State").click()
        await reader.sees('"said": "where is my parcel?"')

        await reader.view.get_by_role("link", name="its turn").last.click()
        await reader.heading("turn stage")
        await reader.sees("Attempt 1 did not pass: empty.")
        timeline = reader.view.get_by_role("table", name="Timeline")
        for name in ("middleware history", "handler answer", "look up", "commit"):
            await playwright.expect(timeline.get_by_role("button", name=name)).to_have_count(1)
        await playwright.expect(timeline.get_by_role("button", name="attempt")).to_have_count(2)
        await timeline.get_by_role("button", name="chat scripted").last.click()
        detail = reader.view.get_by_role("complementary")
        await playwright.expect(detail).to_contain_text("gen_ai.usage.output_tokens7")
        await reader.page.keyboard.press("ArrowDown")
        await playwright.expect(detail.get_by_role("heading", level=2)).to_have_text("commit")
        await reader.view.get_by_role("button", name="Attempt 1 did not pass").click()
        await playwright.expect(detail).to_contain_text("botkit.reasonempty")
        assert "parcel" not in await reader.view.inner_text()

        await reader.page.go_back()
        await reader.heading("C-ada")


async def test_what_happens_appears_by_itself_and_leaves_the_reader_alone(
    console: Any, read: Any
) -> None:
    gate = asyncio.Event()
    gate.set()
    completion = ScriptedCompletion(["an answer"], gate=gate)
    async with console(some_bot(), completion=completion) as opened:
        await opened.stage.say("first")
        await opened.stage.replies(1)
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open("#/conversation/stage%3As%3Ac1%3A")
        await reader.heading("c1")
        state = reader.view.locator("summary", has_text="State")
        await state.click()
        await playwright.expect(state).to_be_focused()
        gate.clear()
        await opened.stage.say("second")
        await until(lambda: completion.counts.running == 1)
        await playwright.expect(reader.view.locator(".pill.live")).to_have_count(1)
        gate.set()
        await reader.sees("second")
        await playwright.expect(reader.view.locator(".pill.live")).to_have_count(0)
        await playwright.expect(state).to_be_focused()
        await playwright.expect(reader.view.locator("details[open]")).to_have_count(1)


async def test_a_dead_letter_is_tried_again(console: Any, read: Any) -> None:
    adapter = StageAdapter(failures=[DeliveryRefusedError("channel_gone")])
    async with console(adapter=adapter) as opened:
        await opened.stage.say("hello")
        await until(lambda: adapter.deliveries == 1)
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open()
        await reader.follow("Dead letters")
        await reader.sees("channel_gone")
        await reader.view.get_by_role("button", name="Try 1 again").click()
        await reader.sees("Nothing was given up.")
        status = reader.page.get_by_role("status")
        await playwright.expect(status).to_have_text("Dead letter 1 is tried again.")
        assert await opened.stage.replies(1)


async def test_feedback_is_listed_and_filtered(console: Any, read: Any) -> None:
    async with console() as opened:
        for channel, value, comment in (("c1", "positive", ""), ("c2", "negative", "not at all")):
            given = event(comment, channel, kind="feedback", value=value, message_id="m1")
            await opened.stage.hear(given)
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open("#/feedback")
        await reader.sees("not at all")
        rows = reader.view.locator("tbody tr")
        await playwright.expect(rows).to_have_count(2)
        await reader.view.get_by_role("link", name="positive").click()
        await playwright.expect(rows).to_have_count(1)
        await reader.view.get_by_role("link", name="c1").click()
        await reader.heading("c1")


async def test_hostile_names_and_texts_are_inert(console: Any, read: Any) -> None:
    where = ConversationKey("stage", HOSTILE, HOSTILE, HOSTILE)
    bot = Bot()

    @bot.default
    async def answer(turn: Turn) -> str:
        turn.state[HOSTILE] = HOSTILE
        with turn.part(HOSTILE, **{HOSTILE: HOSTILE}):
            return HOSTILE

    refused = DeliveryRefusedError(HOSTILE)
    adapter = StageAdapter(failures=[None, refused])
    async with console(bot, adapter=adapter) as opened:
        for _ in range(2):
            await opened.stage.hear(
                event(HOSTILE, conversation=where, sender=Sender(HOSTILE, HOSTILE))
            )
            await opened.stage.idle()
        given = {"kind": "feedback", "value": HOSTILE, "message_id": HOSTILE}
        await opened.stage.hear(event(HOSTILE, conversation=where, **given))
        await opened.stage.idle()
        reader = await read(opened.address)
        await reader.open()
        await reader.heading("Overview")
        key = str(where).replace("%", "%25").replace(":", "%3A")
        turns = [each["id"] for each in (await opened.get("turns"))["turns"]]
        views = ["overview", "conversations", f"conversation/{key}", "turns", "feedback"]
        for view in [*views, "dead-letters", *(f"turn/{each}" for each in turns)]:
            await reader.page.evaluate("hash => { location.hash = hash }", f"#/{view}")
            await playwright.expect(reader.view).to_contain_text(HOSTILE)
            assert await reader.page.locator("#view img, #view script").count() == 0
            assert await reader.page.title() != "owned"
        for hostile in (
            f"#/conversation/{HOSTILE}",
            "#/turn/%E0%A4%A",
            f"#/{HOSTILE}",
            "#/__proto__",
        ):
            await reader.page.evaluate("hash => { location.hash = hash }", hostile)
            await reader.page.wait_for_timeout(100)
            assert await reader.page.locator("#main img, #main script").count() == 0


async def test_the_policy_lets_nothing_else_run(console: Any, browser: Any) -> None:
    async with console() as opened:
        page = await browser.new_page()
        await page.goto(f"{opened.address}/console")
        blocked = await page.evaluate(
            """async () => {
                const blocked = [];
                document.addEventListener("securitypolicyviolation",
                    (event) => blocked.push(event.effectiveDirective));
                const script = document.createElement("script");
                try { script.textContent = "document.title = 'owned'"; } catch {}
                try { document.body.innerHTML = "<b>x</b>"; } catch {}
                const other = document.createElement("style");
                other.textContent = "body { color: red }";
                document.head.append(other);
                const image = new Image();
                image.src = "http://other.invalid/";
                await fetch("http://other.invalid/").catch(() => {});
                await new Promise((resolve) => setTimeout(resolve, 100));
                return blocked;
            }"""
        )
        assert {"require-trusted-types-for", "style-src-elem", "img-src", "connect-src"} <= set(
            blocked
        )
        assert await page.title() == "botkit console"


async def test_a_store_that_is_away_is_told_and_the_page_comes_back(
    console: Any, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console() as opened:
        reader = await read(opened.address)
        await reader.open()
        await reader.heading("Overview")
        store = opened.stage.application.store

        async def away(*given: Any) -> Any:
            raise TimeoutError

        monkeypatch.setattr(store, "stats", away)
        trouble = reader.page.locator("#trouble")
        await playwright.expect(trouble).to_have_text("The database does not answer now.")
        await playwright.expect(reader.page.locator("#pulse")).to_have_text("not fresh")
        await reader.heading("Overview")  # what was there stays
        monkeypatch.undo()
        await playwright.expect(trouble).to_be_hidden()
        await playwright.expect(reader.page.locator("#pulse")).to_have_text("live")


async def test_what_is_gone_is_told(console: Any, read: Any) -> None:
    async with console() as opened:
        reader = await read(opened.address)
        await reader.open("#/turn/nothing")
        await playwright.expect(reader.page.locator("#trouble")).to_contain_text("is not kept")
        await reader.follow("Overview")
        await playwright.expect(reader.page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view_fits_every_screen_and_breaks_no_rule_of_axe(
    console: Any, read: Any, scheme: str
) -> None:
    adapter = StageAdapter(failures=[None, DeliveryRefusedError("channel_gone")])
    completion = ScriptedCompletion(["", "unbreakable" * 60])
    async with console(some_bot(), adapter=adapter, completion=completion) as opened:
        long = "x" * 300
        await opened.stage.say(long, channel=long)
        await opened.stage.idle()
        given = event(long, long, kind="feedback", value="negative", message_id="m1")
        await opened.stage.hear(given)
        await opened.stage.idle()
        turn = (await opened.get("turns"))["turns"][-1]["id"]
        reader = await read(opened.address, color_scheme=scheme, bypass_csp=AXE.exists())
        await reader.page.goto(f"{opened.address}/console")
        await playwright.expect(reader.page.get_by_label("Key")).to_be_visible()
        await check(reader, "the key")
        await reader.open()
        await reader.heading("Overview")
        views = {
            "overview": "Overview",
            "conversations": "Conversations",
            f"conversation/stage%3As%3A{long}%3A": long,
            "turns": "Turns",
            f"turn/{turn}": "turn stage",
            "feedback": "Feedback",
            "dead-letters": "Dead letters",
        }
        for view, heading in views.items():
            await reader.page.evaluate("hash => { location.hash = hash }", f"#/{view}")
            await reader.heading(heading)
            if view.startswith("turn/"):
                await reader.view.get_by_role("button", name="chat scripted").first.click()
            await check(reader, view)
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in adapters/widget brings it")


async def check(reader: Reader, view: str) -> None:
    """That nothing scrolls sideways and, where axe is there, none of its rules is broken."""
    for width in WIDTHS:
        await reader.page.set_viewport_size({"width": width, "height": 800})
        assert await reader.page.evaluate("document.documentElement.scrollWidth") <= width, view
    if not AXE.exists():
        return
    if not await reader.page.evaluate("'axe' in window"):
        await reader.page.add_script_tag(path=str(AXE))
    for width in (390, 1280):
        await reader.page.set_viewport_size({"width": width, "height": 800})
        found = await reader.page.evaluate(
            """async () => {
                const { violations } = await axe.run(document);
                return violations.map(({ id, nodes }) =>
                    `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`)}`);
            }"""
        )
        assert found == [], f"{view}, {width}"
