"""`botkit serve` as a process of its own, on Telegram's webhook."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from telegram_stub import SECRET, TOKEN


@dataclass(frozen=True)
class Served:
    """Where it listens, and when it was started (``time.perf_counter()``)."""

    port: int
    began: float


@contextlib.contextmanager
def served(home: Path, api_base_url: str, **variables: str) -> Iterator[Served]:
    """Start it, with the default model unless ``variables`` say otherwise; end it with SIGKILL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "BOTKIT_PORT": str(port),
        "BOTKIT_DATABASE_URL": f"sqlite:///{home / f'served-{port}.db'}",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE_URL": api_base_url,
        **variables,
    }
    log = os.open(home / f"served-{port}.log", os.O_CREAT | os.O_WRONLY)
    began = time.perf_counter()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "botkit", "serve"],
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
    )
    try:
        yield Served(port, began)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(log)
