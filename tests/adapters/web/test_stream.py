"""Connections that break anywhere: the text is exact, and the model runs once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until
from web_visitor import Shown, Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import StoreError
from botkit.feed import FeedHead
from botkit.intake import BotIntake
from botkit.server import SERVICE, ServerLimits, create_app, listening
from botkit.settings import Settings
from botkit.types import ConversationKey
from botkit_adapters.web import stream as streams
from botkit_adapters.web import web_adapter
from botkit_adapters.web.cursor import Cursor

LONG = "Grüße 👋🏽 an *alle*: " + " ".join(f"Wort{number}\n" for number in range(120)) + "世界."


class Stepped:
    """A gate that lets one token by at a time."""

    def __init__(self, completion: ScriptedCompletion) -> None:
        self.gate = completion.gate = asyncio.Event()

    async def let(self, tokens: int) -> None:
        """Let a few tokens through."""
        self.gate.set()
        for _ in range(tokens):
            await asyncio.sleep(0)
        self.gate.clear()


def test_cut_after_any_number_of_bytes(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        running = bot_on_the_web(tmp_path, replies=[LONG])
        site = runner.run(stack.enter_async_context(running))

        @settings(max_examples=40, deadline=None)
        @given(cuts=st.lists(st.integers(1, 900), min_size=1, max_size=40))
        def cut(cuts: list[int]) -> None:
            runner.run(_cut(site, cuts))

        try:
            cut()
        finally:
            runner.run(stack.aclose())


async def _cut(site: Site, cuts: list[int]) -> None:
    before = site.completion.counts.started
    visitor = await site.visitor()
    steps = Stepped(site.completion)
    shown = Shown()
    said = await visitor.say("cut")
    for most in cuts:
        following = asyncio.create_task(visitor.follow(shown, most))
        for _ in range(20):
            await steps.let(1)
            await asyncio.sleep(0.001)
            if following.done():
                break
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    steps.gate.set()
    async with visitor.page(shown):
        assert await shown.answered(said) == LONG
    assert shown.texts == ["cut", LONG]
    assert site.completion.counts.started == before + 1
    assert shown.resets == 1
    # Whatever was shown on the way was the beginning of the reply.
    assert all(LONG.startswith(draft) for draft in shown.drafts)


async def test_cut_every_two_hundred_milliseconds(tmp_path: Path) -> None:
    completion = ScriptedCompletion([LONG], delay=0.02)
    async with bot_on_the_web(tmp_path, completion=completion) as site:
        visitor = await site.visitor()
        shown, cuts = Shown(), 0
        said = await visitor.say("cut")
        while not shown.replies(said):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await visitor.follow(shown)
            cuts += 1
        assert cuts > 5
        assert shown.replies(said)[0]["text"] == LONG
        assert completion.counts.started == 1
        sent = sum(len(data["text"]) for name, data in shown.events if name == "draft")
        assert sent <= len(LONG)  # nothing came twice


async def test_a_reload_in_the_middle_shows_all_of_it(site: Site, visitor: Visitor) -> None:
    site.completion.replies = [LONG]
    steps = Stepped(site.completion)
    async with visitor.page() as page:
        said = await visitor.say("reload")
        await page.until(lambda: page.state == "working")
        while len(page.drafts) < 5:
            await steps.let(1)
            await asyncio.sleep(0.002)
    async with visitor.page() as again:
        await again.until(lambda: again.draft)
        assert again.draft.startswith(page.draft)
        assert (again.state, again.reply_to) == ("working", said)
        steps.gate.set()
        assert await again.answered(said) == LONG


async def test_strange_cursors_begin_anew(site: Site, visitor: Visitor) -> None:
    async with visitor.page() as page:
        await page.answered(await visitor.say("hello"))
    epoch = page.cursor.split(".")[0]
    for cursor in (
        "x",
        "1.2.3.4",
        f"{epoch}.999.-.0",
        f"{int(epoch) + 1}.1.-.0",
        "9" * 400,
        f"{epoch}.1.d.5",
        f"-{epoch}.1.-.0",
        f"{epoch}.{1 << 63}.-.0",
        f"{epoch}.{(1 << 63) - 1}.-.0",
        f"{1 << 63}.1.-.0",
        f"{'9' * 19}.{'9' * 19}.-.0",
    ):
        shown = Shown(cursor=cursor)
        async with visitor.page(shown):
            assert shown.texts == page.texts, cursor
            assert shown.resets == 1
    for cursor in (f"{epoch}.2.-.0", f"{epoch}.2.d99.7"):
        shown = Shown(cursor=cursor)
        async with visitor.page(shown):
            assert (shown.entries, shown.resets) == ([], 0)


@given(st.integers(0, 10**18), st.integers(0, 10**18), st.integers(0, 10**8), st.booleans())
def test_cursors_are_read_as_written(epoch: int, seq: int, characters: int, drafting: bool) -> None:
    cursor = Cursor(epoch, seq, "d0a" if drafting else "", characters if drafting else 0)
    assert Cursor.parse(str(cursor)) == cursor


@given(st.text())
def test_anything_is_a_cursor_or_none(text: str) -> None:
    parsed = Cursor.parse(text)
    assert parsed is None or Cursor.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", [f"1.{1 << 63}.-.0", f"{1 << 63}.1.-.0"])
def test_what_no_database_counts_to_is_no_cursor(text: str) -> None:
    assert Cursor.parse(text) is None


@pytest.mark.parametrize("again", [False, True], ids=["loaded anew", "come again"])
async def test_what_was_kept_and_not_handed_on_is_answered(
    site: Site, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    said, shown = str(uuid.uuid4()), Shown()

    async def killed(*_: Any) -> None:
        raise StoreError("the process is killed here")

    with monkeypatch.context() as patched:
        patched.setattr(BotIntake, "accept", killed)
        assert (await visitor.send(id=said, text="hello", locale="pt"))[0] == 503
    if again:
        shown.cursor = f"{(await head_of(site, visitor)).epoch}.1.-.0"
    for _ in range(2):
        async with visitor.page(shown):
            assert await shown.answered(said) == "1: hello"
    await site.idle()
    assert site.completion.counts.started == 1


async def head_of(site: Site, visitor: Visitor) -> FeedHead:
    where = ConversationKey("web", "site", visitor.session)
    return (await site.application.store.feed.after(where)).head


async def test_many_windows_are_enough(site: Site, visitor: Visitor) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(streams.STREAMS):
            await stack.enter_async_context(visitor.page())
        async with visitor.stream() as refused:
            assert refused.status == 429
            assert int(refused.headers["Retry-After"]) > 0
        stranger = await site.visitor()
        async with stranger.page():
            pass
    async with asyncio.timeout(20):
        while True:
            async with visitor.stream() as again:
                if again.status == 200:
                    break


async def test_nothing_stays_in_memory(site: Site) -> None:
    hub = site.application.adapters["web"]._hub  # type: ignore[attr-defined]
    for _ in range(5):
        visitor = await site.visitor()
        async with visitor.page() as page:
            await page.answered(await visitor.say("hello"))
    await until(lambda: hub.scenes == 0)


async def test_a_ping_comes_when_nothing_else_does(
    site: Site, visitor: Visitor, monkeypatch: object
) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)  # type: ignore[attr-defined]
    async with asyncio.timeout(20), visitor.stream() as response:
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Accel-Buffering"] == "no"
        while await response.content.readline() != b": ping\n":
            pass


async def test_a_server_that_stops_says_so_at_once(tmp_path: Path) -> None:
    shown = Shown()
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as http:
        async with bot_on_the_web(tmp_path) as site:
            visitor = Visitor(http, site.address)
            await visitor.begin()
            following = asyncio.create_task(visitor.follow(shown))
            await shown.until(lambda: shown.state)
            began = loop.time()
        async with asyncio.timeout(10):
            await following
        assert shown.byes == 1
        assert loop.time() - began < 6


async def test_a_visitor_who_takes_nothing_is_let_go(tmp_path: Path) -> None:
    loaded = Settings.load(home=tmp_path, port=0, completion="echo", web_origins=())
    model = ScriptedCompletion()
    application = Bot().application(loaded, model, [web_adapter(loaded)])
    await application.open()
    limits = ServerLimits(write_seconds=0.2)
    app = create_app(model, open_routes=application.open_routes, limits=limits)
    async with listening(app, companion=application) as address, aiohttp.ClientSession() as http:
        await application.start()
        visitor = Visitor(http, address)
        await visitor.begin()
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            asked = [f"GET /web/stream?session={visitor.session} HTTP/1.1", f"Host: {host}:{port}"]
            asked.append(f"Authorization: Bearer {visitor.token}")
            idle.sendall("\r\n".join([*asked, "", ""]).encode())
            await until(lambda: app[SERVICE].stats.in_flight == 1)
            where = ConversationKey("web", "site", visitor.session)
            for number in range(40):
                entry = {"id": f"n{number}", "role": "user", "text": "x" * 400_000}
                await application.store.feed.append(where, f"n{number}", entry)
            await until(lambda: app[SERVICE].stats.in_flight == 0)
        # Others go on.
        assert (await visitor.ask("GET", "/web/messages?limit=1"))[0] == 200
    await application.aclose()
