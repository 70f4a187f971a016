"""Who may embed the widget, as browsers themselves see it."""

from __future__ import annotations

import asyncio

import pytest
from browser import skip_without_browser
from widget_bot import web_bot
from widget_page import Browser, Widget, skip_without_widget
from widget_site import Site, embedding

from botkit.completion.scripted import ScriptedCompletion

skip_without_browser()
skip_without_widget()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refused(widget: Widget) -> None:
    """The visitor reads that there is no chat; the console tells the developer what to set."""
    await widget.open()
    await playwright.expect(widget.part("banner")).to_be_visible()
    await widget.say("Is anybody there?")
    own = await widget.page.evaluate("location.origin")
    said = [each for each in widget.seen.faults if "BOTKIT_WEB_ORIGINS" in each]
    assert said, widget.seen.faults
    assert own in said[0]
    assert await widget.replies.count() == 0
    assert not [url for url in widget.seen.urls if "/web/stream" in url]


async def works(widget: Widget) -> None:
    await widget.open()
    await talks(widget)


async def talks(widget: Widget) -> None:
    await widget.answered(1)
    await widget.say("Is anybody there?")
    await widget.answered(2)
    await playwright.expect(widget.body()).to_have_text("Here I am.")
    assert widget.seen.faults == []


@pytest.fixture
def completion() -> ScriptedCompletion:
    return ScriptedCompletion(replies=["Here I am."])


ALLOWED = ["shop.localhost", "a.below.localhost", "a.b.below.localhost"]
FOREIGN = [
    "127.0.0.1",
    "localhost",
    "evilshop.localhost",
    "shop.localhost.test",
    "x.shop.localhost",
    "below.localhost",
    "evilbelow.localhost",
    "a.below.localhost.evil.test",
]


async def test_only_the_list_is_let_in(
    chromium: Browser, shop: Site, completion: ScriptedCompletion
) -> None:
    origins = (shop.origin("shop.localhost"), shop.origin("*.below.localhost"))
    async with web_bot(completion, origins=origins) as bot:
        shop.add("/", embedding(bot.address))
        for name in ALLOWED:
            await works(await chromium.visit(shop.origin(name) + "/"))
        started = completion.counts.started
        assert started == len(ALLOWED)

        async def comes_from(name: str) -> None:
            await refused(await chromium.visit(shop.origin(name) + "/"))

        await asyncio.gather(*(comes_from(name) for name in FOREIGN))
        assert completion.counts.started == started


async def test_another_port_is_another_site(
    chromium: Browser, shop: Site, completion: ScriptedCompletion
) -> None:
    origin = f"http://shop.localhost:{shop.port + 1}"
    async with web_bot(completion, origins=(origin,)) as bot:
        shop.add("/", embedding(bot.address))
        await refused(await chromium.visit(shop.origin("shop.localhost") + "/"))


async def test_a_sandboxed_frame_has_no_origin(
    chromium: Browser, shop: Site, completion: ScriptedCompletion
) -> None:
    """Its requests come from `null`, whoever wrote it: nobody can be let in by that name."""
    async with web_bot(completion, origins=(shop.origin(),)) as bot:
        shop.add("/inner", embedding(bot.address))
        shop.add("/", "<iframe sandbox='allow-scripts' src='/inner' width=800 height=700></iframe>")
        outer = await chromium.visit(shop.origin() + "/")
        inner = Widget(outer.page.frames[1], outer.seen)
        await inner.open()
        await playwright.expect(inner.part("banner")).to_be_visible()
        assert any("BOTKIT_WEB_ORIGINS" in fault for fault in inner.seen.faults)
        assert not [url for url in inner.seen.urls if "/web/stream" in url]
        assert completion.counts.started == 0


async def test_the_servers_own_page_needs_no_list(
    chromium: Browser, completion: ScriptedCompletion
) -> None:
    async with web_bot(completion) as bot:
        widget = await chromium.visit(f"{bot.address}/")
        widget.root = widget.page.locator("botkit-chat").first
        if await widget.launcher.count():
            await widget.open()
        await talks(widget)
        # The line to copy works as it stands there.
        line = await widget.page.locator("#snippet").inner_text()
        assert f"{bot.address}/widget.js" in line
