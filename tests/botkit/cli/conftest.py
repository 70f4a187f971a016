"""Running the `botkit` command as a person does: as a process, on a pipe or on a terminal."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from botkit.completion import Completion
from botkit.server import SERVICE, create_app, listening

COMMAND = [sys.executable, "-m", "botkit"]
TIMEOUT = 20


@dataclass(frozen=True)
class CommandLine:
    """The command with an environment of its own: no variable of this process reaches it."""

    environment: dict[str, str]

    def run(
        self, *arguments: str | bytes, stdin: bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end, with ``stdin`` in a pipe."""
        return subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT,
            env=self.environment | variables,
            check=False,
        )

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start, with stdout and stderr in pipes."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment | variables,
        )

    def terminal(self, *arguments: str, **variables: str) -> pexpect.spawn[str]:
        """Start on a pseudo-terminal of its own."""
        return pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *arguments],
            env=self.environment | variables,
            encoding="utf-8",
            timeout=TIMEOUT,
            dimensions=(40, 100),
            echo=True,
        )


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def slow_plugin(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a package that adds the completion ``slow``."""
    folder = tmp_path / "plugin"
    info = folder / "slow_bot-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-bot\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[botkit.completions]\nslow = slow_bot:make\n")
    (folder / "slow_bot.py").write_text(SLOW_BOT)
    return str(folder)


SLOW_BOT = """
from botkit.completion.scripted import ScriptedCompletion

class SlowCompletion(ScriptedCompletion):
    async def stream(self, request):
        try:
            async for chunk in super().stream(request):
                yield chunk
        finally:
            print("[generation ended]", self.counts.running)

def make(settings):
    return SlowCompletion(replies=["tick " * 600], delay=0.05)
"""


@pytest.fixture
def botkit_command(tmp_path: Path) -> CommandLine:
    """The command with the echo completion and an empty home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PORT", "NO_COLOR"}
        and not name.startswith(("BOTKIT_", "OPENAI_", "SLACK_", "TELEGRAM_"))
    }
    chosen = {
        "BOTKIT_HOME": str(tmp_path / "home"),
        "BOTKIT_COMPLETION": "echo",
        "TERM": "xterm",
        "PYTHONWARNINGS": "error::ResourceWarning",
    }
    return CommandLine(kept | chosen)


@contextmanager
def serving(completion: Completion, *, api_keys: tuple[str, ...] = ()) -> Iterator[str]:
    """A server in a thread of its own; yields its address."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    address: list[str] = []
    stop = asyncio.Event()

    async def serve() -> None:
        app = create_app(completion, api_keys=api_keys)
        async with listening(app, drain_seconds=0) as where:
            await app[SERVICE].start()
            address.append(where)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(TIMEOUT)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(TIMEOUT)
        loop.close()


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve completions until the test ends."""
    with ExitStack() as stack:
        yield lambda completion, **options: stack.enter_context(serving(completion, **options))
