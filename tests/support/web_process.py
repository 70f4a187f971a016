"""`botkit serve` with the widget, as a process of its own, to be killed or stopped.

Run as a script it serves a model that writes a word each WORD_SECONDS and appends a line to
STARTED_FILE for each reply that it begins.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

SUPPORT = Path(__file__).parent


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebProcess:
    """One process; started again it has the same port."""

    def __init__(self, database: str, home: Path, name: str = "a", **variables: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.started = home / "started"
        self._log = home / f"log-{name}"
        self._environment = {
            **os.environ,
            "BOTKIT_HOME": str(home),
            "BOTKIT_PORT": str(self.port),
            "BOTKIT_HOST": "127.0.0.1",
            "BOTKIT_COMPLETION": "echo",
            "BOTKIT_DATABASE_URL": database,
            "BOTKIT_LEASE_SECONDS": "1",
            "BOTKIT_CACHE_SECONDS": "0",
            "BOTKIT_QUALITY_ATTEMPTS": "0",
            "BOTKIT_SECRET_KEY": "the same for all processes",
            "BOTKIT_WEB_ORIGINS": "http://site.example",
            "STARTED_FILE": str(self.started),
            "WORD_SECONDS": "0.05",
            **variables,
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, __file__, "serve", env=self._environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{self.address}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                assert self.process.returncode is None, self._log.read_text()
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    @property
    def starts(self) -> int:
        """How many replies were begun."""
        return len(self.started.read_text().splitlines()) if self.started.exists() else 0


def main() -> None:
    from botkit.cli import main as botkit
    from botkit.completion.scripted import ScriptedCompletion

    stream = ScriptedCompletion.stream

    async def counted(self: Any, request: Any) -> AsyncIterator[Any]:
        _note_start()
        self.delay = float(os.environ["WORD_SECONDS"])
        async for chunk in stream(self, request):
            yield chunk

    ScriptedCompletion.stream = counted  # type: ignore[method-assign]
    botkit()


def _note_start() -> None:
    with open(os.environ["STARTED_FILE"], "a") as file:
        file.write("started\n")


if __name__ == "__main__":
    main()
