"""Bad networks, reloads, several tabs, a server that dies: the text is exact, and written once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bot_process import SUPPORT, free_port
from browser import skip_without_browser
from local_model import environment
from waiting import until
from widget_bot import web_bot
from widget_page import Browser, Widget, eventually, skip_without_widget
from widget_proxy import cutting_proxy
from widget_site import Site, embedding

from botkit.completion import ChatCompletionRequest, message_text
from botkit.completion.scripted import ScriptedCompletion
from botkit.completion.text import TextCompletionRequest

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY = 0.2
GREETING = "Hello! Ask me anything."

# What is easily torn in two: characters beyond the first plane, joined and combined ones, both
# directions, and Markdown whose sense changes with the next character.
PARTS = [
    "Naïve café, Zürich, Ελλάδα, привет: 👩‍👩‍👧‍👦 and 🇵🇹 and 🏳️‍🌈.",
    "漢字とかなカナ、句読点。全角！ 한국어 문장입니다.",
    "e\u0301 a\u0308\u0323 Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d",
    "مرحبا بكم **جدا** في `code` שלום",
    "Some **bold *and italic* text** ~~gone~~ [a link](https://shop.example/a_(b)?c=d&e=%20)",
    '```python\nfor each in \'👍🏽\', "\\n", `x`:\n    print(f"{each!r:>10}")  # 漢字\n```',
    "| a | ß |\n| :- | -: |\n| 👍 | *1* |\n| `|` | 2 |",
    "1. one\n2. two\n   - 三\n   - four\n\n> a quote\n> goes on",
    'Ends with a backslash \\\\ and a dollar $x$ and data: {"a": "id: 1\\n\\ndata: x"}.',
]
COUNTED = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
# No part is there twice: a bot takes a model that goes in circles for a broken one.
LONG = "\n\n".join(
    f"Part {number}:\n\n{part}\n\nThen {COUNTED[number]} {COUNTED[-number]} {number * 7919} things."
    for number, part in enumerate(PARTS)
)


def told(request: ChatCompletionRequest | TextCompletionRequest) -> str:
    """The long text, and which question it answers."""
    assert isinstance(request, ChatCompletionRequest)
    return f"{message_text(request.messages[-1])}\n\n{LONG}"


def slow(seconds: float = 5.0) -> ScriptedCompletion:
    """A completion that takes so long for it."""
    return ScriptedCompletion(replies=told, delay=seconds / len(LONG.split()))


@contextlib.asynccontextmanager
async def shown_whole(
    chromium: Browser, shop: Site, address: str, question: str
) -> AsyncIterator[str]:
    """What the reply looks like in the end, on a page where nothing ever went wrong."""
    shop.add("/whole", embedding(address))
    widget = await chromium.visit(f"{shop.origin()}/whole")
    await widget.open()
    await widget.answered(1)
    await widget.say(question)
    await widget.answered(2, 60_000)
    yield await widget.body().inner_html()
    await widget.page.context.close()


async def entries(widget: Widget, address: str) -> list[dict[str, Any]]:
    """What the server has of the conversation, asked with the page's own token."""
    kept = await widget.page.evaluate(
        "(key) => JSON.parse(localStorage.getItem(key))", f"botkit {address}/"
    )
    answer = await widget.page.request.get(
        f"{address}/web/messages?before=1000000&limit=200",
        headers={
            "authorization": f"Bearer {kept['token']}",
            "origin": await widget.page.evaluate("location.origin"),
        },
    )
    assert answer.ok, await answer.text()
    found: list[dict[str, Any]] = (await answer.json())["entries"]
    return found


async def exact(widget: Widget, address: str, question: str) -> None:
    """The reply in the page is the one that was written: as the server has it, and as drawn."""
    await widget.answered(2, 60_000)
    said = [each for each in await entries(widget, address) if each["role"] == "assistant"]
    assert [each["text"] for each in said] == [GREETING, f"{question}\n\n{LONG}"]
    drawn = await widget.body().inner_html()
    # The same text drawn in one go, by the same page, from what the server gives anew.
    await widget.page.reload()
    await widget.open()
    await widget.answered(2)
    assert await widget.body().inner_html() == drawn
    plain = await widget.body().inner_text()
    for piece in (
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈",
        "한국어 문장입니다.",
        "e\u0301 a\u0308\u0323",
        "id: 1\\n\\ndata: x",
    ):
        assert plain.count(piece) == 1, piece


async def test_a_connection_that_is_cut_all_the_time(chromium: Browser, shop: Site) -> None:
    completion = slow()
    async with (
        web_bot(completion, origins=(shop.origin(),)) as bot,
        cutting_proxy(bot.address) as proxy,
    ):
        shop.add("/", embedding(proxy.url))
        widget = await chromium.visit(shop.origin() + "/")
        await widget.open()
        await widget.answered(1)
        await widget.say("cut")
        await widget.replies.nth(1).wait_for()
        lengths = []
        cutting = asyncio.create_task(proxy.cutting(EVERY))
        while completion.counts.running:
            lengths.append(len(await widget.body().inner_text()))
            await asyncio.sleep(EVERY)
        cutting.cancel()
        assert proxy.cuts >= 10
        # It went on being written meanwhile, and never took back what it had shown.
        assert len(set(lengths)) >= 5, lengths
        assert lengths == sorted(lengths)
        await exact(widget, proxy.url, "cut")
        assert (completion.counts.started, completion.counts.finished) == (1, 1)
        sent = [url for url in widget.seen.urls if url.endswith("/web/messages")]
        assert len(sent) >= 2
        print(f"{proxy.cuts} cuts, {len(widget.seen.urls)} requests")


async def test_a_message_that_is_cut_off_is_said_once(chromium: Browser, shop: Site) -> None:
    """Cuts fall into the sending itself too: each question has one answer, in order."""
    completion = ScriptedCompletion(
        replies=lambda request: message_text(request.messages[-1])  # type: ignore[union-attr]
    )
    async with (
        web_bot(completion, origins=(shop.origin(),)) as bot,
        cutting_proxy(bot.address) as proxy,
    ):
        shop.add("/", embedding(proxy.url))
        widget = await chromium.visit(shop.origin() + "/")
        await widget.open()
        await widget.answered(1)
        cutting = asyncio.create_task(proxy.cutting(0.05))
        for number in range(6):
            await widget.say(f"question {number}")
        await asyncio.sleep(1.0)
        cutting.cancel()
        bodies = widget.replies.locator("[data-part=body]")

        async def answered() -> bool:
            return "question 5" in " ".join(await bodies.all_inner_texts())

        await eventually(answered, widget.page, 30_000)
        await widget.idle(30_000)
        questions = await widget.questions.locator("[data-part=body]").all_inner_texts()
        assert questions == [f"question {number}" for number in range(6)]
        kept = [each for each in await entries(widget, proxy.url) if each["role"] == "user"]
        assert [each["text"] for each in kept] == questions
        answers = " ".join(await bodies.all_inner_texts())
        assert [answers.count(question) for question in questions] == [1] * 6


async def test_offline_in_the_middle_of_a_reply(chromium: Browser, shop: Site) -> None:
    completion = slow(2.5)
    async with web_bot(completion, origins=(shop.origin(),)) as bot:
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(shop.origin() + "/")
        await widget.open()
        await widget.answered(1)
        await widget.say("offline")
        await playwright.expect(widget.body()).to_contain_text("Part 0")
        context = widget.page.context
        await context.set_offline(True)
        await playwright.expect(widget.part("banner")).to_contain_text("offline")
        await widget.say("said while offline")
        await playwright.expect(widget.questions.last).to_have_attribute("data-state", "waiting")
        await until(lambda: completion.counts.finished == 1)
        await context.set_offline(False)
        await playwright.expect(widget.part("banner")).to_be_hidden()
        # The rest of the text is there, and what was said meanwhile is said by itself.
        await widget.answered(3, 60_000)
        said = [each for each in await entries(widget, bot.address) if each["role"] == "assistant"]
        assert said[1]["text"] == f"offline\n\n{LONG}"
        assert said[2]["text"] == f"said while offline\n\n{LONG}"
        assert (completion.counts.started, completion.counts.finished) == (2, 2)


async def test_a_reload_in_the_middle_of_a_reply(chromium: Browser, shop: Site) -> None:
    completion = slow(2.5)
    async with (
        web_bot(completion, origins=(shop.origin(),)) as bot,
        shown_whole(chromium, shop, bot.address, "again") as whole,
    ):
        shop.add("/", embedding(bot.address))
        widget = await chromium.visit(shop.origin() + "/")
        await widget.open()
        await widget.answered(1)
        await widget.say("again")
        await playwright.expect(widget.body()).to_contain_text("Part 0")
        for _ in range(2):
            before = await widget.body().inner_text()
            await widget.page.reload()
            await widget.open()
            await widget.replies.nth(1).wait_for()
            # At once at least as much as there was.
            after = await widget.body().inner_text()
            assert len(after) >= len(before) - 3
            assert completion.counts.running == 1
            await playwright.expect(widget.part("stop")).to_be_visible()
        await widget.answered(2, 60_000)
        assert await widget.body().inner_html() == whole
        await exact(widget, bot.address, "again")
        assert completion.counts.started == 2  # with the one of the page that shows it whole


async def streams(widgets: list[Widget]) -> int:
    return sum("/web/stream" in url for widget in widgets for url in widget.seen.urls)


@pytest.mark.parametrize("name", ["127.0.0.1", "shop.test"])
async def test_tabs_in_step(chromium: Browser, shop: Site, name: str) -> None:
    """Names that end with .test are no secure context: there, browsers have no locks."""
    completion = slow(2.5)
    async with web_bot(completion, origins=(shop.origin(name),)) as bot:
        shop.add("/", embedding(bot.address))
        visitor = await chromium.visitor()
        tabs = [await chromium.visit(f"{shop.origin(name)}/", visitor) for _ in range(2)]
        locks = await tabs[0].page.evaluate("Boolean(navigator.locks)")
        assert locks == (name == "127.0.0.1")
        for tab in tabs:
            await tab.page.bring_to_front()
            await tab.open()
            await tab.answered(1)
        await tabs[0].page.bring_to_front()
        await tabs[0].say("tabs")
        await playwright.expect(tabs[1].questions).to_have_count(1)
        for tab in tabs:
            await playwright.expect(tab.body()).to_contain_text("Part 0")
        assert completion.counts.running == 1
        # One that comes later catches up; when the first goes, the others go on.
        tabs.append(await chromium.visit(f"{shop.origin(name)}/", visitor))
        await tabs[2].open()
        await playwright.expect(tabs[2].body()).to_contain_text("Part 0")
        if locks:
            assert await streams(tabs) == 1
        await tabs[0].page.close()
        for tab in tabs[1:]:
            await tab.page.bring_to_front()
            await tab.answered(2, 60_000)
        one, other = [await tab.root.locator("[data-part=log]").inner_text() for tab in tabs[1:]]
        assert one == other
        if locks:
            assert await streams(tabs) == 2
        # What is said in one is seen in the other, and so is a rating.
        await tabs[2].say("from the third")
        await playwright.expect(tabs[1].questions).to_have_count(2)
        await exact_texts(tabs[1], bot.address)
        assert completion.counts.started == 2


async def exact_texts(widget: Widget, address: str) -> None:
    await widget.answered(3, 60_000)
    said = [each for each in await entries(widget, address) if each["role"] == "assistant"]
    assert [each["text"] for each in said[1:]] == [
        f"tabs\n\n{LONG}",
        f"from the third\n\n{LONG}",
    ]


class Process:
    """`botkit serve`, to be killed and started again on the same port."""

    def __init__(self, home: Path, origin: str) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{free_port()}"
        self._environment = environment(
            home,
            BOTKIT_PORT=self.url.rpartition(":")[2],
            BOTKIT_COMPLETION="echo",
            BOTKIT_WEB_ORIGINS=origin,
            BOTKIT_LEASE_SECONDS="1",
            THINK_SECONDS="0.5",
        )
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(SUPPORT / "slow_bot.py"),
                "serve",
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, how)
            await self.process.wait()


async def test_a_server_that_is_killed_and_comes_back(
    chromium: Browser, shop: Site, tmp_path: Path
) -> None:
    server = Process(tmp_path, shop.origin())
    await server.start()
    shop.add("/", embedding(server.url))
    try:
        widget = await chromium.visit(shop.origin() + "/")
        await widget.page.wait_for_function("true")
        while not await widget.root.count():
            await asyncio.sleep(0.1)  # until the server is there, so is the script
            await widget.page.reload()
        await widget.open()
        await widget.answered(1, 30_000)
        await widget.say("one")
        await widget.answered(2)
        await widget.say("two, in whose answer it dies")
        await playwright.expect(widget.questions.last).to_have_attribute("data-state", "sent")
        await server.end(signal.SIGKILL)
        await widget.say("three, to nobody")
        await playwright.expect(widget.part("banner")).to_be_visible()
        await server.start()
        await widget.answered(4, 60_000)
        await playwright.expect(widget.part("banner")).to_be_hidden()
        texts = await widget.replies.locator("[data-part=body]").all_inner_texts()
        assert texts[1:] == ["one", "two, in whose answer it dies", "three, to nobody"]
        # A page that comes back has the same history.
        await widget.page.reload()
        await widget.open()
        await widget.answered(4)
        assert await widget.replies.locator("[data-part=body]").all_inner_texts() == texts
        assert not [fault for fault in widget.seen.faults if "ERR_" not in fault]
        # A server that stops in an orderly way says so, and is looked for again.
        await server.end(signal.SIGTERM)
        await server.start()
        await widget.say("four")
        await widget.answered(5, 60_000)
    finally:
        await server.end(signal.SIGKILL)
