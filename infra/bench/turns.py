"""How fast a message goes through the bot; `make bench` prints it.

The model is a script and Telegram's side of a send is a stub, so that what remains is botkit: HTTP,
parsing, inbox, worker, handler, commit, rendering. Times in milliseconds unless said otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp

from botkit.app import Bot
from botkit.completion.scripted import ScriptedCompletion
from botkit.plugins import load_adapters
from botkit.server import create_app
from botkit.server.listen import listening
from botkit.settings import Settings
from botkit_adapters.telegram.calls import Calls

SECRET = "bench"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
TOKEN = "999:BENCH"


class Sends:
    """Stands for Telegram: notes when a message left."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self.changed = asyncio.Event()

    async def call(self, method: str, arguments: Any, **named: Any) -> Any:
        """The answer to any method of the Bot API."""
        if method == "sendMessage":
            self.times[arguments["text"]] = time.perf_counter()
            self.changed.set()
        return {"message_id": 1, "id": 999, "username": "bench_bot"}

    async def sent(self, text: str) -> float:
        """When that text left."""
        while text not in self.times:
            self.changed.clear()
            await self.changed.wait()
        return self.times[text]


def update(number: int, chat: int) -> dict[str, Any]:
    """A message in a private chat."""
    person = {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    message = {
        "message_id": number,
        "date": 1_800_000_000,
        "chat": {"id": chat, "type": "private", "first_name": "Ada"},
        "from": person,
        "text": f"message {number}",
    }
    return {"update_id": number, "message": message}


async def run(database: str, home: Path, work: Any) -> Any:
    """``work(session, url, sends)`` against a bot that repeats what it hears."""
    settings = Settings.load(
        home=home,
        database_url=database,
        completion="echo",
        telegram_bot_token=TOKEN,
        telegram_webhook_secret=SECRET,
    )
    sends = Sends()
    Calls.call = lambda self, *given, **named: sends.call(*given, **named)  # type: ignore[method-assign, assignment]
    completion = ScriptedCompletion(lambda request: str(request.messages[-1].content))
    bot = Bot().application(settings, completion, load_adapters(settings))
    # The pace that Telegram asks for is not what is measured.
    bot.adapters["telegram"]._pacer.wait = _at_once  # type: ignore[attr-defined]
    await completion.start()
    await bot.open()
    app = create_app(completion, open_routes=bot.open_routes, routes=bot.routes)
    try:
        async with listening(app, companion=bot) as address, aiohttp.ClientSession() as session:
            await bot.start()
            bot.ready()
            return await work(session, f"{address}/telegram/webhook", sends)
    finally:
        await bot.aclose()


async def _at_once(chat: Any) -> None:
    return None


async def latency(session: aiohttp.ClientSession, url: str, sends: Sends) -> list[float]:
    """Webhook in to send out, one message after another."""
    found = []
    for number in range(1, 401):
        began = time.perf_counter()
        async with session.post(url, json=update(number, number % 20 + 1), headers=HEADERS):
            pass
        found.append(1e3 * (await sends.sent(f"message {number}") - began))
        await asyncio.sleep(0.005)
    return sorted(found[50:])


async def conversations(session: aiohttp.ClientSession, url: str, sends: Sends) -> list[float]:
    """1,000 conversations with 20 turns each; seconds of every hundred turns."""
    room = asyncio.Semaphore(32)
    marks = [time.perf_counter()]

    async def one(number: int, chat: int) -> None:
        async with room:
            async with session.post(url, json=update(number, chat), headers=HEADERS):
                pass
            await sends.sent(f"message {number}")
        if number % 100 == 0:
            marks.append(time.perf_counter())

    for turn in range(20):
        await asyncio.gather(*(one(turn * 1000 + chat, chat) for chat in range(1, 1001)))
    return [later - earlier for earlier, later in pairwise(marks)]


def cold_start(home: Path) -> tuple[float, float]:
    """Seconds from starting `botkit serve` to its first acknowledgement, the model not loaded."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "BOTKIT_PORT": str(port),
        "BOTKIT_DATABASE_URL": f"sqlite:///{home / 'cold.db'}",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE_URL": "http://127.0.0.1:9/bot",
    }
    began = time.perf_counter()
    log = os.open(home / "cold.log", os.O_CREAT | os.O_WRONLY)
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "botkit", "serve"],
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
    )
    body = json.dumps(update(1, 1)).encode()
    head = (
        f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nConnection: close\r\n\r\n"
    )
    try:
        listened = 0.0
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    listened = listened or time.perf_counter() - began
                    connection.sendall(head.encode() + body)
                    if b" 200 " in connection.recv(100):
                        return listened, time.perf_counter() - began
            except OSError:
                time.sleep(0.005)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(log)


def row(name: str, found: list[float], limit: str) -> None:
    """Print one figure; ``found`` is in order."""
    p95 = found[int(len(found) * 0.95)]
    print(f"{name:44} median {statistics.median(found):7.2f}   p95 {p95:7.2f}   {limit}")


def main() -> None:
    """Measure and print everything."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, database, limit in (
            ("webhook to send, SQLite on disk, ms", f"sqlite:///{home / 'a.db'}", "at most 3"),
            ("webhook to send, in memory, ms", "sqlite:///:memory:", "at most 1.5"),
        ):
            row(name, asyncio.run(run(database, home, latency)), limit)
        cold = [cold_start(home) for _ in range(5)]
        row("cold process to listening, ms", sorted(1e3 * listened for listened, _ in cold), "")
        row("cold process to first 200, ms", sorted(1e3 * ack for _, ack in cold), "at most 1500")
        seconds = asyncio.run(run(f"sqlite:///{home / 'b.db'}", home, conversations))
        first, last = statistics.median(seconds[:10]), statistics.median(seconds[-10:])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"1,000 conversations x 20 turns               {20_000 / sum(seconds):7.0f} turns/s"
            f"   last/first hundred {last / first:.2f}   {memory:.0f} MiB"
        )


if __name__ == "__main__":
    main()
