"""Nothing private is kept that need not be, and nothing said is in the log."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import aiohttp
from canaries import CANARIES, EMAIL, PERSONAL, SAID, Watch, around, database_bytes, held
from web_visitor import bot_on_the_web


async def test_with_redaction_the_feed_holds_no_address(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, redact=True) as site:
        visitor = await site.visitor()
        site.completion.delay = 0.05  # long enough that other processes are told of the draft
        async with visitor.page() as page:
            said = await visitor.say(SAID)
            await page.answered(said)
            reply = page.replies(said)[0]["id"]
            body = {"message": reply, "value": "negative", "comment": f"write to {EMAIL}"}
            assert (await visitor.ask("POST", "/web/feedback", json=body))[0] == 202
            # Who has just said it sees it as it was said.
            assert page.entries[0]["text"] == SAID
        async with visitor.page() as again:
            assert held(repr(again.entries), PERSONAL) == []
            assert "[email]" in again.entries[0]["text"]
        await site.idle()
    kept = database_bytes(tmp_path)
    assert {word: around(kept, word) for word in PERSONAL if word.encode() in kept} == {}


async def test_the_log_says_nothing_that_was_said(tmp_path: Path) -> None:
    watch = Watch()
    watch.listen()
    try:
        async with bot_on_the_web(tmp_path) as site:
            visitor = await site.visitor()
            async with visitor.page() as page:
                await page.answered(await visitor.say(SAID))
            _, file = await visitor.ask(
                "POST", "/web/files", params={"name": f"{EMAIL}.txt"}, data=SAID.encode()
            )
            async with site.http.get(f"{site.address}{file['url']}") as response:
                assert response.status == 200
            for path in ("/web/messages", "/chat", "/web/feedback", "/web/sessions"):
                for data in (SAID, f'{{"id": "{SAID}"}}', f'{{"{SAID}": 1}}', f'"{SAID}"'):
                    headers = visitor.headers
                    url = f"{site.address}{path}"
                    async with site.http.post(url, data=data, headers=headers) as answer:
                        await watch.heard(answer)
            token = visitor.token
            url = f"{site.address}/web/stream?session={SAID}"
            async with site.http.get(url, headers=visitor.headers) as answer:
                assert await watch.heard(answer) == 403
            await site.idle()
    finally:
        logging.getLogger().handlers.clear()
    log = watch.log.getvalue()
    assert "/web/messages" in log
    assert held(log, CANARIES) == []
    assert token not in log
    assert "key=" not in log
    assert held("\n".join(watch.answers), CANARIES) == []


async def test_what_was_forgotten_is_nowhere(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path) as site, aiohttp.ClientSession():
        visitor = await site.visitor()
        async with visitor.page() as page:
            await page.answered(await visitor.say(SAID))
            await visitor.ask("POST", "/web/files?name=a.txt", data=SAID.encode())
            said = await visitor.say(kind="command", name="forget")
            await page.until(lambda: page.replies(said))
            assert held(repr(page.entries), CANARIES) == []
        await site.idle()
        await asyncio.sleep(0)
        kept = database_bytes(tmp_path)
    assert {word: around(kept, word) for word in CANARIES if word.encode() in kept} == {}
