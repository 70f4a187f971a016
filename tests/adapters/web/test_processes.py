"""Several processes on one database: whoever is connected to whichever sees the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from postgres_server import PostgresServer
from web_process import WebProcess
from web_visitor import Shown, Visitor, bot_on_the_web

from botkit.completion.scripted import ScriptedCompletion
from botkit_adapters.web.hub import Hub
from botkit_adapters.web.scene import TOLD_SECONDS

ORIGIN = "http://site.example"
LONG = " ".join(f"word{number}" for number in range(80))


@dataclass
class Two:
    """Two servers of one bot; only the first works on turns."""

    here: Visitor
    there: Visitor
    completion: ScriptedCompletion


@contextlib.asynccontextmanager
async def two_servers(home: Path, database: str) -> AsyncIterator[Two]:
    """One visitor, known to both."""
    settings = {"database_url": database, "secret_key": "shared"}
    completion = ScriptedCompletion([LONG], delay=0.05)
    (home / "1").mkdir()
    (home / "2").mkdir()
    async with (
        bot_on_the_web(home / "1", completion=completion, **settings) as first,
        bot_on_the_web(home / "2", completion=completion, **settings) as second,
    ):
        # The second takes messages and leaves them to the first.
        second.application._worker._stopping = True  # type: ignore[union-attr]
        here = await first.visitor()
        there = Visitor(second.http, second.address)
        there.token, there.session = here.token, here.session
        await there.begin()
        assert there.session == here.session
        yield Two(here, there, completion)


async def test_a_reply_is_seen_elsewhere_while_it_is_written(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with (
        two_servers(tmp_path, postgres.database()) as two,
        two.here.page() as near,
        two.there.page() as far,
    ):
        said = await two.there.say("hello")
        await far.until(lambda: far.draft)
        assert (far.state, far.reply_to) == ("working", said)
        assert await far.answered(said) == LONG
        await near.answered(said)
        assert far.entries == near.entries
        assert len(far.drafts) >= 2
        assert all(LONG.startswith(draft) for draft in far.drafts)
        assert two.completion.counts.started == 1


async def test_a_stream_goes_on_in_another_process(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with two_servers(tmp_path, postgres.database()) as two:
        shown = Shown()
        said = await two.here.say("hello")
        turns = 0
        while not shown.replies(said):
            for visitor in (two.here, two.there):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.7):
                        await visitor.follow(shown)
                turns += 1
        assert shown.replies(said)[0]["text"] == LONG
        assert turns > 2
        assert shown.resets == 1
        assert two.completion.counts.started == 1


@pytest.mark.parametrize("before", [False, True], ids=["in the middle", "before the first word"])
async def test_a_reply_is_stopped_from_elsewhere(
    tmp_path: Path, postgres: PostgresServer, before: bool
) -> None:
    async with two_servers(tmp_path, postgres.database()) as two, two.there.page() as far:
        if before:
            two.completion.gate = asyncio.Event()
        said = await two.here.say("hello")
        await far.until(lambda: far.state == "working" if before else far.draft)
        await two.there.stop(said)
        await far.until(lambda: far.replies(said) and far.state == "idle")
        reply = far.replies(said)[0]
        assert reply["stopped"] is True
        assert reply.get("text", "") != LONG
        assert LONG.startswith(reply.get("text", ""))


async def test_what_is_erased_is_gone_elsewhere(tmp_path: Path, postgres: PostgresServer) -> None:
    async with two_servers(tmp_path, postgres.database()) as two, two.there.page() as far:
        two.completion.delay = 0.0
        await far.answered(await two.there.say("a secret"))
        before = far.resets
        await two.here.say(kind="command", name="forget")
        await far.until(lambda: far.resets > before)
        assert "a secret" not in far.texts


async def test_a_turn_that_says_nothing_ends_elsewhere(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    from botkit.bot import Bot

    bot = Bot()

    @bot.default
    async def hush() -> None:
        return None

    settings = {"database_url": postgres.database(), "secret_key": "shared"}
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    async with (
        bot_on_the_web(tmp_path / "1", bot, **settings) as first,
        bot_on_the_web(tmp_path / "2", bot, **settings) as second,
    ):
        second.application._worker._stopping = True  # type: ignore[union-attr]
        visitor = Visitor(second.http, second.address)
        await visitor.begin()
        async with visitor.page() as page:
            said = await visitor.say("hush")
            await page.until(lambda: page.reply_to == said)
            await page.until(lambda: page.state == "idle")
        await first.idle()


async def test_a_process_that_works_says_so_now_and_then(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with two_servers(tmp_path, postgres.database()) as two, two.there.page() as far:
        two.completion.gate = asyncio.Event()
        said = await two.here.say("hello")
        await far.until(lambda: far.state == "working")
        await asyncio.sleep(TOLD_SECONDS + 2)
        assert (far.state, far.reply_to) == ("working", said)
        two.completion.gate.set()
        await far.answered(said)


async def test_a_turn_whose_process_died_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botkit.bot import Bot

    bot = Bot()

    @bot.default
    async def hush() -> None:
        await asyncio.sleep(1.0)

    async def killed(self: Hub, scene: object) -> None:
        """Before it could tell anybody."""

    with monkeypatch.context() as patched:
        patched.setattr(Hub, "_settle", killed)
        async with bot_on_the_web(tmp_path, bot, secret_key="shared") as site:
            visitor = await site.visitor()
            said = await visitor.say("hush")
            await asyncio.sleep(0.8)
            await site.idle()
    async with bot_on_the_web(tmp_path, bot, secret_key="shared") as site:
        again = Visitor(site.http, site.address)
        again.token, again.session = visitor.token, visitor.session
        async with again.page() as page:
            assert (page.state, page.reply_to) == ("working", said)
            await page.until(lambda: page.state == "idle", TOLD_SECONDS + 3)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
async def test_a_server_that_is_started_again_finishes_the_reply(
    tmp_path: Path, signal: str
) -> None:
    server = WebProcess(
        f"sqlite:///{tmp_path / 'botkit.db'}", tmp_path, BOTKIT_SHUTDOWN_TIMEOUT="1"
    )
    await server.start()
    shown = Shown()
    try:
        async with aiohttp.ClientSession() as http:
            visitor = Visitor(http, server.address, ORIGIN)
            await visitor.begin()
            following = asyncio.create_task(visitor.follow(shown))
            said = await visitor.say(LONG)
            await shown.until(lambda: shown.draft.count("word") > 3)
            if signal == "SIGKILL":
                await server.kill()
            else:
                assert await server.stop() == 0
                assert shown.byes == 1
            await asyncio.gather(following, return_exceptions=True)
            assert not shown.replies(said)
            await server.start()
            async with visitor.page(shown):
                assert await shown.answered(said) == LONG
            assert shown.texts == [LONG, LONG]
            assert server.starts == 2
    finally:
        await server.kill()


async def test_another_process_takes_over_from_one_that_was_killed(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    database = postgres.database()
    first = WebProcess(database, tmp_path, "first")
    second = WebProcess(database, tmp_path, "second")
    try:
        await first.start()
        async with aiohttp.ClientSession() as http:
            visitor = Visitor(http, first.address, ORIGIN)
            await visitor.begin()
            said = await visitor.say(LONG)
            await second.start()
            visitor.address = second.address
            async with visitor.page() as shown:
                await shown.until(lambda: shown.draft or shown.replies(said))
                await first.kill()
                assert await shown.answered(said) == LONG
                assert shown.texts == [LONG, LONG]
    finally:
        await first.kill()
        await second.kill()
