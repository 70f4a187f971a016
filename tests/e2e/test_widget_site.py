"""What a site can do with the widget, and what its visitors can do in it, over a scripted bot."""

from __future__ import annotations

import re
import time
from typing import Any

import jwt
import pytest
from browser import skip_without_browser
from widget_bot import web_bot
from widget_page import Browser, skip_without_widget
from widget_site import Site, embedding

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.replies import Button, File, Reply
from botkit.turn import Turn

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a secret of nobody but this site's test"
EARLY = """<script>
window.said = [];
window.botkit = window.botkit || [];
botkit.push(['on', 'message', (entry) => said.push([entry.role, entry.text])],
            ['on', 'open', () => said.push(['open', ''])],
            ['on', 'close', () => said.push(['close', ''])]);
</script>
"""


def signed(subject: str, name: str = "", secret: str = SECRET) -> str:
    claims = {"sub": subject, "name": name, "exp": int(time.time()) + 600}
    return jwt.encode(claims, secret, algorithm="HS256")


def host() -> Bot:
    bot = Bot()

    @bot.hand_off
    async def hand_off(turn: Turn, reason: str) -> str:
        return f"A person comes ({reason})."

    @bot.action("answer")
    async def answer(value: str) -> str:
        return f"You chose {value}."

    @bot.default
    async def default(turn: Turn) -> Reply:
        if turn.text == "choose":
            return Reply(
                "Tea or coffee?",
                buttons=(Button("Tea", id="answer", value="tea"), Button("Coffee", id="answer")),
                suggestions=("Neither, thanks",),
            )
        if turn.text == "file":
            return Reply(
                "Your invoice:", files=(File("invoice.pdf", b"%PDF-1.4\n", "application/pdf"),)
            )
        who = turn.user.name or "stranger"
        return Reply(f"{who} ({turn.user.locale}) said: {turn.text}")

    return bot


async def test_the_api_also_before_the_script_is_there(chromium: Browser, shop: Site) -> None:
    async with web_bot(ScriptedCompletion(), host(), origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address, head=EARLY))
        widget = await chromium.visit(f"{shop.origin()}/")
        page = widget.page
        await widget.launcher.wait_for()
        await page.evaluate("botkit.open()")
        await playwright.expect(widget.panel).to_be_visible()
        await playwright.expect(widget.field).to_be_focused()
        await widget.answered(1)
        await page.evaluate("botkit.send('from the page')")
        await widget.answered(2)
        await page.evaluate("botkit.close()")
        await playwright.expect(widget.panel).to_be_hidden()
        await page.evaluate("botkit.toggle()")
        await playwright.expect(widget.panel).to_be_visible()
        said = await page.evaluate("said")
        assert [role for role, _ in said] == [
            "open",
            "assistant",
            "user",
            "assistant",
            "close",
            "open",
        ]
        assert said[2] == ["user", "from the page"]
        assert "said: from the page" in said[3][1]
        stop = (
            "(window.end = botkit.on('message', () => said.push('again')), said.length = 0, end())"
        )
        await page.evaluate(stop)
        await page.evaluate("botkit.send('once more')")
        await widget.answered(3)
        assert [role for role, _ in await page.evaluate("said")] == ["user", "assistant"]
        assert widget.seen.faults == []


async def test_a_reply_to_a_closed_panel_is_counted(chromium: Browser, shop: Site) -> None:
    completion = ScriptedCompletion(replies=["Later."], delay=0.3)
    async with web_bot(completion, origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(f"{shop.origin()}/")
        await widget.open()
        await widget.answered(1)
        await widget.say("hello")
        await widget.page.keyboard.press("Escape")
        await playwright.expect(widget.part("badge")).to_have_text("1")
        assert "1" in await widget.launcher.get_attribute("aria-label")
        await widget.open()
        await playwright.expect(widget.part("badge")).to_be_hidden()
        await playwright.expect(widget.body()).to_have_text("Later.")


async def test_a_visitor_who_is_known(chromium: Browser, shop: Site) -> None:
    """The same conversation on every device; nothing of it after signing out."""
    async with web_bot(
        ScriptedCompletion(), host(), origins=(shop.origin(),), web_identity_secret=SECRET
    ) as bot:
        shop.add("/", embedding(bot.address, locale="pt-BR"))
        url = f"{shop.origin()}/"
        first = await chromium.visit(url)
        await first.launcher.wait_for()
        await first.page.evaluate("(token) => botkit.identify(token)", signed("u1", "Ada"))
        await first.open()
        await first.answered(1)
        await first.say("hello")
        await first.answered(2)
        await playwright.expect(first.body()).to_have_text("Ada (pt-BR) said: hello")
        # Another device.
        second = await chromium.visit(url)
        await second.launcher.wait_for()
        await second.page.evaluate("(token) => botkit.identify(token)", signed("u1", "Ada"))
        await second.open()
        await second.answered(2)
        await playwright.expect(second.questions).to_have_text(re.compile("hello"))
        # Signed out: somebody unknown, with an empty conversation.
        await second.page.evaluate("botkit.identify(null)")
        await playwright.expect(second.questions).to_have_count(0)
        await second.say("who am I?")
        await playwright.expect(second.body()).to_contain_text("stranger")
        kept = await second.page.evaluate("JSON.stringify(localStorage)")
        assert "hello" not in kept
        # Somebody else on the same device.
        await second.page.evaluate("(token) => botkit.identify(token)", signed("u2", "Bob"))
        await playwright.expect(second.questions).to_have_count(0)
        await second.say("and now?")
        await playwright.expect(second.body()).to_contain_text("Bob")
        # A forged token is nobody's.
        third = await chromium.visit(url)
        await third.launcher.wait_for()
        forged = signed("u1", "Ada", "another secret that is long enough")
        await third.page.evaluate("(token) => botkit.identify(token)", forged)
        await third.open()
        await third.page.wait_for_timeout(500)
        assert await third.questions.count() == 0
        assert "hello" not in await third.root.locator("[data-part=log]").inner_text()


async def test_buttons_suggestions_files_and_a_person(chromium: Browser, shop: Site) -> None:
    async with web_bot(ScriptedCompletion(), host(), origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(f"{shop.origin()}/", accept_downloads=True)
        await widget.open()
        await widget.answered(1)
        await widget.say("choose")
        await widget.answered(2)
        await widget.part("button").get_by_text("Tea").click()
        await widget.answered(3)
        await playwright.expect(widget.body()).to_have_text("You chose tea.")
        await playwright.expect(widget.questions.last).to_contain_text("Tea")
        await playwright.expect(widget.part("suggestion")).to_have_count(0)
        await widget.say("choose")
        await widget.answered(4)
        await widget.part("suggestion").click()
        await widget.answered(5)
        await playwright.expect(widget.body()).to_contain_text("said: Neither, thanks")
        await widget.say("file")
        await widget.answered(6)
        link = widget.replies.last.locator("[data-part=files] a")
        await playwright.expect(link).to_contain_text("invoice.pdf")
        answer = await widget.page.request.get(await link.get_attribute("href"))
        assert (await answer.body()) == b"%PDF-1.4\n"
        assert "attachment" in answer.headers["content-disposition"]
        await widget.part("menu").click()
        await widget.part("human").click()
        await widget.answered(7)
        await playwright.expect(widget.body()).to_have_text("A person comes (asked).")
        # A new conversation forgets the old one.
        await widget.part("menu").click()
        await widget.part("restart").click()
        await playwright.expect(widget.questions).to_have_count(0)
        await widget.page.reload()
        await widget.open()
        await widget.idle()
        await playwright.expect(widget.questions).to_have_count(0)
        assert widget.seen.faults == []


async def test_code_is_copied(chromium: Browser, shop: Site) -> None:
    text = "Run:\n\n```sh\nbotkit serve  # and\n\techo done\n```\n"
    async with web_bot(ScriptedCompletion(replies=[text]), origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        visitor = await chromium.visitor()
        await visitor.grant_permissions(["clipboard-read", "clipboard-write"])
        widget = await chromium.visit(f"{shop.origin()}/", visitor)
        await widget.open()
        await widget.answered(1)
        await widget.say("how?")
        await widget.answered(2)
        await widget.part("copy").click()
        await playwright.expect(widget.part("copy")).to_have_text("Copied")
        clipboard = "navigator.clipboard.readText()"
        assert await widget.page.evaluate(clipboard) == "botkit serve  # and\n\techo done"
        await widget.part("copy-reply").last.click()
        copied: Any = await widget.page.evaluate(clipboard)
        assert copied.strip() == text.strip()


async def test_an_element_in_the_page_and_the_launcher_share_a_conversation(
    chromium: Browser, shop: Site
) -> None:
    async with web_bot(ScriptedCompletion(), host(), origins=(shop.origin(),)) as bot:
        body = "<h1>Help</h1><botkit-chat id='inline' data-title='Here'></botkit-chat>"
        shop.add("/", embedding(bot.address, body=body, title="There"))
        inline = await chromium.visit(f"{shop.origin()}/")
        floating = type(inline)(inline.page, inline.seen, "botkit-chat[floating]")
        inline.root = inline.page.locator("#inline")
        await playwright.expect(inline.part("title")).to_have_text("Here")
        # It does not take the focus from a page that is being read.
        assert await inline.page.evaluate("document.activeElement === document.body")
        await inline.field.fill("hello")
        await inline.field.press("Enter")
        await playwright.expect(inline.body()).to_contain_text("said: hello")
        await floating.open()
        await playwright.expect(floating.part("title")).to_have_text("There")
        await playwright.expect(floating.body()).to_contain_text("said: hello")
        assert inline.seen.faults == []


async def test_a_long_history(chromium: Browser, shop: Site) -> None:
    """The last are there at once, earlier ones on request, and the reader's place stays."""
    completion = ScriptedCompletion(replies=lambda request: f"Reply to it. {'And on. ' * 20}")
    async with web_bot(completion, Bot(middleware=()), origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(f"{shop.origin()}/")
        await widget.open()
        await widget.answered(1)
        await widget.page.evaluate(
            """async () => {
                for (let number = 1; number <= 110; number += 1) {
                    let done;
                    const answered = new Promise((resolve) => { done = resolve });
                    const end = botkit.on('message', (entry) => entry.role === 'user' || done());
                    botkit.send(`question ${number}`);
                    await answered;
                    end();
                }
            }"""
        )
        await widget.page.reload()
        await widget.open()
        await widget.idle()
        await playwright.expect(widget.questions.last).to_contain_text("question 110")
        await playwright.expect(widget.questions.last).to_be_in_viewport()
        shown = await widget.questions.count()
        assert 90 <= shown < 110
        first = widget.questions.first
        await widget.part("log").evaluate("(log) => log.scrollTo(0, 0)")
        await playwright.expect(first).to_be_in_viewport()
        text = await first.locator("[data-part=body]").inner_text()
        await widget.part("earlier").click()
        await playwright.expect(widget.questions.nth(shown)).to_be_attached()
        bodies = widget.questions.locator("[data-part=body]")
        same = bodies.filter(has_text=re.compile(f"^{text}$"))
        await playwright.expect(same).to_be_in_viewport()
        while await widget.part("earlier").is_visible():
            count = await widget.questions.count()
            await widget.part("earlier").click()
            await playwright.expect(widget.questions.nth(count)).to_be_attached()
        await playwright.expect(widget.questions).to_have_count(110)
        texts = await bodies.all_inner_texts()
        assert texts == [f"question {number}" for number in range(1, 111)]


async def test_a_question_during_the_answer_waits_for_its_turn(
    chromium: Browser, shop: Site
) -> None:
    completion = ScriptedCompletion(
        replies=lambda request: f"{len(request.messages)} so far. Word for word.",
        delay=0.15,
    )
    async with web_bot(completion, origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(f"{shop.origin()}/")
        await widget.open()
        await widget.answered(1)
        await widget.say("first")
        await playwright.expect(widget.body()).to_contain_text("so far")
        await widget.say("second")
        await widget.answered(3)
        order = await widget.root.locator("[data-part=message]").evaluate_all(
            "(all) => all.map((each) => each.dataset.role)"
        )
        assert order[1:] in (
            ["user", "assistant", "user", "assistant"],
            ["user", "user", "assistant", "assistant"],
        )
        assert completion.counts.finished == 2


async def test_back_and_forth_between_pages(chromium: Browser, shop: Site) -> None:
    completion = ScriptedCompletion(replies=["One two three four five six."], delay=0.2)
    async with web_bot(completion, origins=(shop.origin(),)) as bot:
        for path in ("/", "/other"):
            shop.add(path, embedding(bot.address))
        widget = await chromium.visit(f"{shop.origin()}/")
        await widget.open()
        await widget.answered(1)
        await widget.say("count")
        await playwright.expect(widget.body()).to_contain_text("One")
        await widget.page.goto(f"{shop.origin()}/other")
        await widget.open()
        await playwright.expect(widget.body()).to_have_text("One two three four five six.")
        await widget.page.go_back()
        await widget.launcher.wait_for()
        if not await widget.panel.is_visible():
            await widget.open()
        await playwright.expect(widget.body()).to_have_text("One two three four five six.")
        await widget.say("again")
        await widget.answered(3)
        assert completion.counts.started == 2
        assert widget.seen.faults == []
