"""How the simulated Telegram delivers: retries, copies, disorder, polls and webhooks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from waiting import until

from botkit.testing.telegram import TelegramSimulator


@dataclass
class App:
    """Answers what ``answers`` says, one a request and the last for good."""

    answers: list[int]
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.append((await request.json())["message"]["text"])
        self.secrets.add(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers=self.headers)


@dataclass
class Api:
    """Calls the simulator as a client does."""

    session: aiohttp.ClientSession
    base: str

    async def __call__(self, method: str, **arguments: Any) -> Any:
        async with self.session.post(f"{self.base}/{method}", json=arguments) as response:
            answer = await response.json()
            return answer["result"] if answer["ok"] else answer["description"]


@contextlib.asynccontextmanager
async def listening(app: App) -> AsyncIterator[tuple[TelegramSimulator, Api, str]]:
    """A simulator, a client of it, and the address of the app."""
    server = web.Application()
    server.router.add_post("/hook", app.answer)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with TelegramSimulator(time_scale=0.01) as telegram, aiohttp.ClientSession() as http:
            api = Api(http, telegram.api_base_url + telegram.bot_token)
            yield telegram, api, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


async def test_a_refused_update_holds_up_its_chat_and_no_other() -> None:
    app = App([500, 500, 200])
    async with listening(app) as (telegram, api, url):
        await api("setWebhook", url=url, secret_token="s3cret")
        alice = telegram.user("Alice")
        alice.send("a")
        alice.send("b")
        await until(lambda: len(app.heard) == 4)
        assert app.heard == ["a", "a", "a", "b"]
        assert app.secrets == {"s3cret"}
        info = await api("getWebhookInfo")
        assert info["last_error_message"] == "Wrong response from the webhook: 500"


async def test_retry_after_is_honoured() -> None:
    app = App([503, 200], {"Retry-After": "0.3"})
    async with listening(app) as (telegram, api, url):
        await api("setWebhook", url=url)
        telegram.user("Alice").send("a")
        await until(lambda: len(app.heard) == 1)
        await asyncio.sleep(0.15)
        assert len(app.heard) == 1
        await until(lambda: len(app.heard) == 2)


async def test_updates_come_often_and_in_disorder() -> None:
    app = App([200])
    async with listening(app) as (telegram, api, url):
        await api("setWebhook", url=url)
        alice = telegram.user("Alice")
        telegram.deliveries.hold = 3
        for text in ("a", "b", "c"):
            alice.send(text)
        await until(lambda: len(app.heard) == 3)
        assert app.heard == ["c", "b", "a"]
        telegram.deliveries.hold, telegram.deliveries.copies = 0, 3
        alice.send("d")
        await until(lambda: len(app.heard) == 6)
        assert app.heard[3:] == ["d"] * 3


async def test_what_waits_goes_from_polling_to_a_webhook_and_back() -> None:
    app = App([500])
    async with listening(app) as (telegram, api, url):
        alice = telegram.user("Alice")
        alice.send("a")
        assert len(await api("getUpdates")) == 1
        await api("setWebhook", url=url)
        assert "deleteWebhook" in await api("getUpdates")
        await until(lambda: app.heard.count("a") >= 2)
        await api("deleteWebhook")
        (update,) = await api("getUpdates", timeout=5)
        assert update["message"]["text"] == "a"
        await api("deleteWebhook", drop_pending_updates=True)
        assert await api("getUpdates") == []


async def test_polls_confirm_and_only_one_polls() -> None:
    async with listening(App([200])) as (telegram, api, _):
        alice = telegram.user("Alice")
        alice.send("a")
        alice.send("b")
        first, second = await api("getUpdates")
        assert await api("getUpdates", offset=second["update_id"], limit=1) == [second]
        assert await api("getUpdates", offset=second["update_id"] + 1) == []
        assert second["update_id"] == first["update_id"] + 1
        hanging = asyncio.create_task(api("getUpdates", timeout=10))
        await until(lambda: telegram.deliveries._polls == 4)
        other = asyncio.create_task(api("getUpdates", timeout=10))
        assert (await hanging).startswith("Conflict: terminated by other getUpdates request")
        alice.send("c")
        assert [update["message"]["text"] for update in await other] == ["c"]


async def test_only_updates_that_are_wanted_come() -> None:
    async with listening(App([200])) as (telegram, api, _):
        await api("getUpdates", allowed_updates=["callback_query"])
        telegram.user("Alice").send("a")
        assert await api("getUpdates") == []
        assert telegram.deliveries.sent == []
