"""How fast a message goes through the bot; `make bench` prints it."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path

import aiohttp
from acknowledgements import PER_SECOND, SECONDS, acknowledgements
from caching import caching, redis_server
from cold_start import cold_start
from container_start import container_starts
from limiting import limiting
from long_conversation import added, long_conversation
from streams import streams
from telegram_stub import HEADERS, Sends, update
from webhook_bots import botkit, chat_sdk, has_chat_sdk

ROUNDS = 5
"""Bots that are compared take turns, so that a busy machine hurts them alike."""

MESSAGES = 200
UNMEASURED = 50


IDLE = 0.005
"""Seconds between messages in the second reading: a processor that rests wakes up cold."""


async def latency(
    bot: Callable[[Sends], AbstractAsyncContextManager[str]], pause: float
) -> list[float]:
    """Webhook in to send out, one message after another, ``pause`` seconds between; milliseconds.

    Without a pause what is done after a send (recording it) falls into the next message's time.
    """
    sends = Sends()
    found = []
    async with bot(sends) as url, aiohttp.ClientSession() as session:
        for number in range(1, UNMEASURED + MESSAGES + 1):
            began = time.perf_counter()
            async with session.post(url, json=update(number, number % 20 + 1), headers=HEADERS):
                pass
            async with asyncio.timeout(10):
                found.append(1e3 * (await sends.sent(f"message {number}") - began))
            await asyncio.sleep(pause)
    return found[UNMEASURED:]


async def conversations(home: Path) -> list[float]:
    """1,000 conversations with 20 turns each; seconds of every hundred turns."""
    sends = Sends()
    room = asyncio.Semaphore(32)
    marks = [time.perf_counter()]

    async def one(number: int, chat: int) -> None:
        async with room:
            async with session.post(url, json=update(number, chat), headers=HEADERS):
                pass
            await sends.sent(f"message {number}")
        if number % 100 == 0:
            marks.append(time.perf_counter())

    database = f"sqlite:///{home / 'conversations.db'}"
    async with botkit(database, home, sends) as url, aiohttp.ClientSession() as session:
        for turn in range(20):
            await asyncio.gather(*(one(turn * 1000 + chat, chat) for chat in range(1, 1001)))
    return [later - earlier for earlier, later in pairwise(marks)]


def row(name: str, found: list[float], limit: str = "", *, at: float = 0.95) -> None:
    """Print one figure."""
    ordered = sorted(found)
    high = ordered[min(int(len(ordered) * at), len(ordered) - 1)]
    middle = statistics.median(ordered)
    print(f"{name:42} median {middle:7.2f}   p{at * 100:.0f} {high:7.2f}   {limit}", flush=True)


def print_latencies(home: Path) -> None:
    """botkit on disk and in memory, and chat-sdk, in turn."""
    bots: dict[str, Callable[[Sends], AbstractAsyncContextManager[str]]] = {
        "webhook to send, SQLite on disk, ms": lambda sends: botkit(
            f"sqlite:///{home / 'latency.db'}", home, sends
        ),
        "webhook to send, in memory, ms": lambda sends: botkit("sqlite:///:memory:", home, sends),
    }
    if has_chat_sdk():
        bots["  chat-sdk, in memory, not durable, ms"] = chat_sdk
    readings: dict[tuple[str, float], list[float]] = {
        (name, pause): [] for name in bots for pause in (0.0, IDLE)
    }
    for _ in range(ROUNDS):
        for name, pause in readings:
            (home / "latency.db").unlink(missing_ok=True)
            readings[name, pause] += asyncio.run(latency(bots[name], pause))
    limits = dict(zip(bots, ("at most 3", "at most 1.5", ""), strict=False))
    for (name, pause), times in readings.items():
        idle = f"    after {1e3 * pause:.0f} ms at rest"
        row(idle if pause else name, times, "" if pause else limits[name])
    if not has_chat_sdk():
        print("  chat-sdk is not here: pip install 'chat-sdk[telegram]' adds its row")


def print_caching(home: Path) -> None:
    """A turn from its start to its reply, where its question was asked before and where not."""
    for name, times, limit in asyncio.run(caching(home)):
        row(name, times, limit)


def print_conversations(home: Path) -> None:
    """Throughput, and whether a turn gets dearer."""
    seconds = asyncio.run(conversations(home))
    first, last = statistics.median(seconds[:10]), statistics.median(seconds[-10:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"1,000 conversations x 20 turns             {20_000 / sum(seconds):7.0f} turns/s"
        f"   last/first hundred {last / first:.2f} (at most 1.2)   {memory:.0f} MiB",
        flush=True,
    )


def print_acknowledgements(home: Path) -> None:
    """With the real model; says so where it is not there."""
    try:
        load = asyncio.run(acknowledgements(home))
    except TimeoutError:
        print("acknowledgement under load: the model did not answer; is it pulled?")
        return
    name = f"acknowledged, {PER_SECOND}/s for {SECONDS} s, model busy, ms"
    row(name, [1e3 * each for each in load.acknowledged], "p99 at most 250", at=0.99)
    print(f"  not acknowledged: {load.failed}; replies sent meanwhile: {load.replies}")


def print_middleware(home: Path) -> None:
    """What the usual middleware adds, and a conversation of 200 turns."""
    with redis_server() as redis_url:
        for where, url, limit in (("memory", None, 1), ("Redis", redis_url, 3)):
            if where == "memory" or url:
                bare, usual = added(home, ROUNDS, url)
                more = statistics.median(usual) - statistics.median(bare)
                print(
                    f"middleware adds, {where:26} median {more:7.2f}   at most {limit}", flush=True
                )
    early, late = long_conversation(home, ROUNDS)
    print(
        f"turn 20 and turn 200, ms          {early:.2f} {late:.2f}   ratio {late / early:.2f}"
        "   at most 1.2",
        flush=True,
    )


def print_limits() -> None:
    """What rates and budgets of every kind add."""
    with redis_server() as redis_url:
        for where, url, limit in (("memory", None, 0.3), ("Redis", redis_url, 1.5)):
            if where == "memory" or url:
                middle, high = asyncio.run(limiting(url))
                name = f"limits add, {where}, ms"
                print(f"{name:42} median {middle:7.2f}   p95 {high:7.2f}   at most {limit}")


def print_container_starts(home: Path) -> None:
    """The image's tree; says so where it cannot be built."""
    try:
        starts = container_starts(home)
    except subprocess.CalledProcessError:
        print("the image's tree could not be built; run: infra/scripts/tree.py FOLDER")
        return
    row("image's tree to first 200, ms", [1e3 * start.acknowledged for start in starts])
    row("image's tree to first token, ms", [1e3 * start.token for start in starts])


def main() -> None:
    """Measure and print everything."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        home = Path(folder)
        print_latencies(home)
        print_caching(home)
        cold = [cold_start(home) for _ in range(5)]
        row("cold process to listening, ms", [1e3 * listened for listened, _ in cold])
        row("cold process to first 200, ms", [1e3 * taken for _, taken in cold], "at most 1500")
        print_middleware(home)
        print_limits()
        print("\n".join(streams()))
        print_container_starts(home)
        print_acknowledgements(home)
        print_conversations(home)


if __name__ == "__main__":
    main()
