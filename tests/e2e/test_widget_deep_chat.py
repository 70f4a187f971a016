"""deep-chat, a chat component by other people, speaks Chat Completions with our `/v1`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from browser import skip_without_browser
from widget_axe import module
from widget_bot import web_bot
from widget_page import Browser

from botkit.completion import ChatCompletionRequest, message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest

skip_without_browser()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

BUNDLE = "deep-chat/dist/deepChat.bundle.js"
PAGE = """<!doctype html>
<title>deep-chat</title>
<link rel="icon" href="data:,">
<deep-chat id="chat" style="width: 30rem; height: 30rem"></deep-chat>
<script type="module">
  import '/deepChat.bundle.js';
  const chat = document.getElementById('chat');
  chat.connect = {url: '/v1/chat/completions', stream: true};
  chat.directConnection = {openWebUI: {key: 'unused', model: 'scripted', stream: true}};
</script>
"""


def replies(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    assert isinstance(request, ChatCompletionRequest)
    said = [message_text(each) for each in request.messages if each.role == "user"]
    return f"You said {len(said)} things, the last was: {said[-1]} " + "and so on " * 30 + "end."


async def test_it_holds_a_streamed_conversation(chromium: Browser) -> None:
    bundle = module(BUNDLE)
    completion = ScriptedCompletion(replies=replies, delay=0.01)
    async with web_bot(completion) as bot:
        visitor = await chromium.visitor()

        async def page_of_theirs(route: Any) -> None:
            await route.fulfill(body=PAGE, content_type="text/html")

        async def bundle_of_theirs(route: Any) -> None:
            await route.fulfill(body=bundle, content_type="text/javascript")

        async def nothing(route: Any) -> None:  # it would fetch a font from elsewhere
            await route.fulfill(body="", content_type="text/css")

        await visitor.route(lambda url: not url.startswith(bot.address), nothing)
        await visitor.route(f"{bot.address}/deep-chat.html", page_of_theirs)
        await visitor.route(f"{bot.address}/deepChat.bundle.js", bundle_of_theirs)
        widget = await chromium.visit(f"{bot.address}/deep-chat.html", visitor)
        page, sent = widget.page, []
        page.on("request", lambda request: sent.append(request) if request.post_data else None)

        async def say(text: str) -> None:
            field = page.locator("deep-chat #text-input")
            await field.click()
            await page.keyboard.type(text)
            await page.keyboard.press("Enter")

        theirs = page.locator("deep-chat .ai-message-text")
        await say("hello")
        await playwright.expect(theirs.nth(0)).to_contain_text("You said 1 things")
        assert completion.counts.running == 1  # it shows what is still being written
        await playwright.expect(theirs.nth(0)).to_have_text(re.compile(r"was: hello .* end\.\s*$"))
        await say("and now this")
        await playwright.expect(theirs.nth(1)).to_have_text(
            re.compile(r"You said 2 things, the last was: and now this .* end\.\s*$")
        )
        assert completion.counts.finished == 2
        assert [request.url for request in sent] == [f"{bot.address}/v1/chat/completions"] * 2
        body = json.loads(sent[1].post_data)
        assert body["stream"] is True
        assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]
        assert "was: hello" in body["messages"][1]["content"]
        assert widget.seen.faults == []
