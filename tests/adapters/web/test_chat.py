"""``POST /chat``, as pages of the classic tutorial ask it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from web_visitor import Site, Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.turn import Turn


async def ask(site: Site, **body: Any) -> tuple[int, Any]:
    return await Visitor(site.http, site.address).ask("POST", "/chat", json=body)


async def test_a_question_has_an_answer(site: Site) -> None:
    status, body = await ask(site, prompt="hello")
    assert (status, body["response"]) == (200, "1: hello")
    status, body = await ask(site, prompt="hello")
    assert body["response"] == "1: hello"
    status, more = await ask(site, prompt="again", session=body["session"])
    assert more["response"] == "3: again"
    assert site.completion.counts.started == 3


async def test_many_at_once_have_each_their_own(site: Site) -> None:
    answers = await asyncio.gather(*(ask(site, prompt=f"n{number}") for number in range(30)))
    assert [body["response"] for _, body in answers] == [f"1: n{number}" for number in range(30)]


async def test_all_that_a_handler_says_and_nothing(tmp_path: Path) -> None:
    bot = Bot()

    @bot.message("both")
    async def both(turn: Turn) -> str:
        await turn.reply("first")
        return "second"

    @bot.message("hush")
    async def hush() -> None:
        return None

    async with bot_on_the_web(tmp_path, bot) as site:
        assert (await ask(site, prompt="both"))[1]["response"] == "first\n\nsecond"
        assert (await ask(site, prompt="hush"))[1]["response"] == ""
        assert (await ask(site, prompt="/help"))[1]["response"].startswith("/reset")


@pytest.mark.parametrize(
    "body",
    [{}, {"prompt": ""}, {"prompt": " "}, {"prompt": 5}, {"message": "hi"}, [], "hi"],
)
async def test_wrong_questions(site: Site, body: Any) -> None:
    status, answer = await Visitor(site.http, site.address).ask("POST", "/chat", json=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")


async def test_foreign_tokens_and_long_questions(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, limit_characters=50) as site:
        assert (await ask(site, prompt="x", session="made up"))[0] == 401
        assert (await ask(site, prompt="x" * 51))[0] == 413
        assert (await ask(site, prompt="x" * 9_000_000))[0] == 413


async def test_whoever_waits_too_long_is_told_so(tmp_path: Path) -> None:
    completion = ScriptedCompletion(gate=asyncio.Event())
    async with bot_on_the_web(tmp_path, completion=completion, turn_timeout=0.5) as site:
        status, body = await ask(site, prompt="x")
        assert (status, body["error"]["code"]) == (504, "unavailable")


async def test_a_page_of_another_site(tmp_path: Path) -> None:
    async with (
        bot_on_the_web(tmp_path, web_origins=("https://shop.example",)) as site,
        aiohttp.ClientSession(site.address) as http,
    ):
        shop = {"Origin": "https://shop.example"}
        async with http.post("/chat", json={"prompt": "hi"}, headers=shop) as response:
            assert (await response.json())["response"] == "1: hi"
            assert response.headers["Access-Control-Allow-Origin"] == shop["Origin"]
        asked = {**shop, "Access-Control-Request-Headers": "content-type"}
        async with http.options("/chat", headers=asked) as response:
            assert response.status == 204
            assert "content-type" in response.headers["Access-Control-Allow-Headers"]
        evil = {"Origin": "https://evil.example"}
        async with http.post("/chat", json={"prompt": "hi"}, headers=evil) as response:
            assert response.status == 403
    assert site.completion.counts.started == 1
