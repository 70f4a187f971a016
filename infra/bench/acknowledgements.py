"""How soon updates are acknowledged while the model writes all the time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from loopback import loopback
from served_process import served
from telegram_stub import HEADERS, Sends, update

PER_SECOND = 50
SECONDS = 60
CHATS = 200
MODEL_SECONDS = 120


@dataclass(frozen=True)
class Load:
    """Fields:
    acknowledged: Seconds from each delivery to its 200, in order of size.
    failed: Deliveries that were answered otherwise.
    replies: Messages that left meanwhile.
    """

    acknowledged: list[float]
    failed: int
    replies: int


async def acknowledgements(home: Path) -> Load:
    """Fifty updates a second for a minute, on their beat however long the answers take."""
    sends = Sends()
    async with stub_api(sends) as api, aiohttp.ClientSession() as session:
        with served(home, api) as process:
            address = f"http://127.0.0.1:{process.port}"
            await _model_writes(session, address, sends)
            return await _load(session, f"{address}/telegram/webhook", sends)


async def _model_writes(session: aiohttp.ClientSession, address: str, sends: Sends) -> None:
    """Return once the model has answered for the first time."""
    async with asyncio.timeout(MODEL_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{address}/readyz") as response:
                    if response.status == 200:
                        break
            await asyncio.sleep(0.05)
        url = f"{address}/telegram/webhook"
        async with session.post(url, json=update(1, CHATS + 1), headers=HEADERS):
            await sends.changed.wait()


async def _load(session: aiohttp.ClientSession, url: str, sends: Sends) -> Load:
    seconds: list[float] = []
    failed = 0

    async def deliver(number: int) -> None:
        nonlocal failed
        began = time.perf_counter()
        posting = session.post(url, json=update(number, number % CHATS + 1), headers=HEADERS)
        async with posting as response:
            failed += response.status != 200
        seconds.append(time.perf_counter() - began)

    before = len(sends.times)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as deliveries:
        for number in range(PER_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            deliveries.create_task(deliver(number + 2))
    return Load(sorted(seconds), failed, len(sends.times) - before)


@contextlib.asynccontextmanager
async def stub_api(sends: Sends) -> AsyncIterator[str]:
    """A Bot API on loopback that agrees to everything; its base URL."""

    async def answer(request: web.Request) -> web.Response:
        arguments = dict(await request.post())
        method = request.match_info["method"]
        return web.json_response({"ok": True, "result": await sends.call(method, arguments)})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    async with loopback(app) as root:
        yield f"{root}/bot"
