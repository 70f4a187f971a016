"""How soon the image's own tree, started cold, acknowledges an update and writes a first token.

The tree is built as infra/scripts/tree.py does it; each start is a new process. The files are in
the page cache, as they are on a host that has started the image before.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telegram_stub import SECRET, TOKEN, update

NOWHERE = "http://127.0.0.1:9/bot"
STARTS = 5
WITHIN = 120.0
QUESTION = {
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "model": "smollm2-135m",
    "stream": True,
    "max_tokens": 8,
}


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process to the first 200 for an update, and to a token."""

    acknowledged: float
    token: float


def container_starts(home: Path) -> list[Start]:
    """Build the tree below ``home`` and start it cold five times.

    Raises:
        CalledProcessError: It cannot be built.
    """
    root = home / "image"
    script = Path(__file__).parents[1] / "scripts/tree.py"
    command = [sys.executable, str(script), str(root), "PROGRAMS=essential"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    starts = json.loads((home / "image.json").read_text())
    try:
        return [_start(starts, home / f"container-{number}.db") for number in range(STARTS)]
    finally:
        shutil.rmtree(root)


def _start(starts: dict[str, Any], database: Path) -> Start:
    """Two processes: what the update's turn has the model do is not what the token waits for."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    with _running(starts, database) as (address, began):
        _asked(f"{address}/telegram/webhook", update(1, 1), headers, began, b"")
        acknowledged = time.perf_counter() - began
    with _running(starts, database.with_suffix(".2.db")) as (address, began):
        _asked(f"{address}/v1/chat/completions", QUESTION, {}, began, b'"content":"')
        return Start(acknowledged, time.perf_counter() - began)


@contextlib.contextmanager
def _running(starts: dict[str, Any], database: Path) -> Iterator[tuple[str, float]]:
    """The tree's own command, on a free port; where it listens, and when it was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **starts["environment"],
        "PORT": str(port),
        "BOTKIT_WARM_UP": "false",
        "BOTKIT_DATABASE_URL": f"sqlite:///{database}",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE_URL": NOWHERE,
    }
    program, *arguments = starts["command"]
    found = shutil.which(program, path=environment["PATH"]) or program
    log = os.open(database.with_suffix(".log"), os.O_CREAT | os.O_WRONLY)
    began = time.perf_counter()
    child = subprocess.Popen([found, *arguments], env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", began
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.close(log)


def _asked(url: str, body: Any, headers: dict[str, str], began: float, holds: bytes) -> None:
    """Ask until it is answered with 200, and return at the first line that has ``holds``.

    Raises:
        TimeoutError: There was no answer.
    """
    headers = {**headers, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    while time.perf_counter() - began < WITHIN:
        try:
            with urllib.request.urlopen(request, timeout=WITHIN) as answer:
                for line in answer:
                    if holds in line:
                        return
                if not holds:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.005)
    raise TimeoutError(url)
