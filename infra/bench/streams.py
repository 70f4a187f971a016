"""What open pages of the widget cost: the memory of one process with hundreds of streams, and how
soon they are told of a reply. `make bench` prints it; alone: ``streams.py [PAGES]``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

PAGES = 500
TALKERS = 50
WORDS = 100
SETTLE_SECONDS = 2.0
MIB = 1 << 20


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGESIZE")


class Page:
    """One page: its session, and what its stream says."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._headers: dict[str, str] = {}
        self._session = ""
        self.open = asyncio.Event()
        self.first = asyncio.Event()
        self.answered = asyncio.Event()

    async def begin(self) -> None:
        """A session."""
        async with self._http.post("/web/sessions", json={}) as response:
            begun = await response.json()
        self._session = begun["session"]
        self._headers = {"Authorization": f"Bearer {begun['token']}"}

    async def follow(self) -> None:
        """Read, and keep nothing."""
        where = {"session": self._session}
        async with self._http.get("/web/stream", params=where, headers=self._headers) as response:
            response.raise_for_status()
            async for line in response.content:
                self.open.set()
                whole = b'"role":"assistant"' in line
                if whole or line.startswith(b"event: draft"):
                    self.first.set()
                if whole:
                    self.answered.set()

    async def say(self, text: str) -> float:
        """Milliseconds until the first word is shown; returns once the reply is whole."""
        body = {"id": str(uuid.uuid4()), "text": text}
        began = time.perf_counter()
        async with self._http.post("/web/messages", json=body, headers=self._headers) as response:
            response.raise_for_status()
        await self.first.wait()
        shown = time.perf_counter()
        await self.answered.wait()
        return 1e3 * (shown - began)


@contextlib.asynccontextmanager
async def served(home: Path) -> AsyncIterator[tuple[int, str]]:
    """`botkit serve` without a model: its process id and its address."""
    environment = {
        **os.environ,
        "BOTKIT_HOME": str(home),
        "BOTKIT_HOST": "127.0.0.1",
        "BOTKIT_PORT": "0",
        "BOTKIT_COMPLETION": "echo",
        "BOTKIT_MAX_CONNECTIONS": str(2 * PAGES),
        "BOTKIT_DATABASE_URL": f"sqlite:///{home / 'streams.db'}",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "botkit", "serve"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().split()[-1]
        while b"Ctrl-C" not in await process.stdout.readline():
            pass
        yield process.pid, address
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def measure(pages: int, home: Path) -> list[str]:
    """Lines of the report."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with served(home) as (pid, address):
        # The first conversation brings what every later one uses.
        async with aiohttp.ClientSession(address, timeout=timeout) as http:
            await converse([Page(http)])
        await asyncio.sleep(SETTLE_SECONDS)
        idle = resident(pid)
        async with aiohttp.ClientSession(address, timeout=timeout, connector=connector) as http:
            shown = [Page(http) for _ in range(pages)]
            streams = await opened(shown)
            await asyncio.sleep(SETTLE_SECONDS)
            open_ = resident(pid)
            talking = (page.say("word " * WORDS) for page in shown[:TALKERS])
            first = await asyncio.gather(*talking)
            busy = resident(pid)
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)
    return [
        f"{pages} open streams: {(open_ - idle) / MIB:.1f} MiB beyond the idle process's "
        f"{idle / MIB:.0f} MiB ({(open_ - idle) / pages / 1024:.0f} KiB each)",
        f"{len(first)} of them answered at once, {WORDS} words each: {(busy - idle) / MIB:.1f} MiB "
        f"beyond it; first word after {statistics.median(first):.0f} ms (median), "
        f"{max(first):.0f} ms (last)",
    ]


async def converse(pages: list[Page]) -> None:
    """Each says one thing."""
    streams = await opened(pages)
    for page in pages:
        await page.say("word " * WORDS)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)


async def opened(pages: list[Page]) -> list[asyncio.Task[None]]:
    """Their streams, once each has said something."""
    for page in pages:
        await page.begin()
    streams = [asyncio.create_task(page.follow()) for page in pages]
    await asyncio.gather(*(page.open.wait() for page in pages))
    return streams


def streams(pages: int = PAGES) -> list[str]:
    """Lines of the report."""
    with tempfile.TemporaryDirectory() as home:
        return asyncio.run(measure(pages, Path(home)))


if __name__ == "__main__":
    print("\n".join(streams(*map(int, sys.argv[1:]))))
