"""Pages of the classic tutorial: an input, a button, and `fetch('/chat')`."""

from __future__ import annotations

import pytest
from browser import skip_without_browser
from widget_bot import web_bot
from widget_page import Browser, Widget
from widget_site import Site

from botkit.completion.scripted import ScriptedCompletion

skip_without_browser()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nothing but what such pages do: one prompt, one answer, no session, no headers but one.
PAGE = """<!DOCTYPE html>
<html>
<head><title>My chatbot</title></head>
<body>
  <h1>Talk to my bot</h1>
  <div id="answers"></div>
  <input type="text" id="prompt" placeholder="Ask something">
  <button id="ask">Ask</button>
  <script>
    const input = document.getElementById('prompt');
    const answers = document.getElementById('answers');
    document.getElementById('ask').addEventListener('click', async () => {
      const prompt = input.value;
      input.value = '';
      const response = await fetch('%s/chat', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ prompt }),
      });
      const data = await response.json();
      const line = document.createElement('p');
      line.textContent = 'Bot: ' + data.response;
      answers.appendChild(line);
    });
  </script>
</body>
</html>
"""


async def ask(widget: Widget, prompt: str, answer: str, number: int = 0) -> None:
    page = widget.page
    await page.locator("#prompt").fill(prompt)
    await page.locator("#ask").click()
    await playwright.expect(page.locator("#answers p").nth(number)).to_have_text(answer)


async def test_on_the_bots_own_origin(chromium: Browser) -> None:
    completion = ScriptedCompletion(replies=["**Paris**, of course.", "About two million."])
    async with web_bot(completion) as bot:
        visitor = await chromium.visitor()

        async def tutorial(route) -> None:
            await route.fulfill(body=PAGE % "", content_type="text/html")

        await visitor.route(f"{bot.address}/tutorial.html", tutorial)
        widget = await chromium.visit(f"{bot.address}/tutorial.html", visitor)
        await ask(widget, "What is the capital of France?", "Bot: **Paris**, of course.")
        await ask(widget, "How many people live there?", "Bot: About two million.", 1)
        assert [fault for fault in widget.seen.faults if "404" not in fault] == []
        assert completion.counts.finished == 2


async def test_on_an_origin_that_is_allowed(chromium: Browser, shop: Site) -> None:
    completion = ScriptedCompletion(replies=["Hello, page."])
    origins = (shop.origin("localhost"),)
    async with web_bot(completion, origins=origins) as bot:
        shop.add("/tutorial.html", PAGE % bot.address)
        widget = await chromium.visit(f"{shop.origin('localhost')}/tutorial.html")
        await ask(widget, "Hello, bot.", "Bot: Hello, page.")
        assert widget.seen.faults == []


async def test_an_origin_that_is_not_allowed_gets_no_answer(chromium: Browser, shop: Site) -> None:
    completion = ScriptedCompletion()
    async with web_bot(completion, origins=("https://shop.example",)) as bot:
        shop.add("/tutorial.html", PAGE % bot.address)
        widget = await chromium.visit(f"{shop.origin()}/tutorial.html")
        await widget.page.locator("#prompt").fill("Hello, bot.")
        async with widget.page.expect_event("pageerror"):
            await widget.page.locator("#ask").click()
        await playwright.expect(widget.page.locator("#answers p")).to_have_count(0)
        assert completion.counts.started == 0
