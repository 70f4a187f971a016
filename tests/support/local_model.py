"""The real default model behind `botkit serve`, in a process of its own.

The model is the one that `botkit pull` put under ``$BOTKIT_TEST_HOME`` (default: ``$BOTKIT_HOME``
or the user's cache directory), and compiled programs are kept there too: only the first run
compiles, and only what it uses.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from botkit.errors import ModelFileError
from botkit.settings import Settings
from botkit_models.home import find_model

MODEL = "smollm2-135m"
ALIAS = "text-davinci-002"
READY_SECONDS = 120.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class LocalServer:
    """A running server.

    Fields:
        url: Where it listens, without ``/v1``.
        home: Its ``BOTKIT_HOME``.
        log: What it printed, as a file.
        process: The server itself.
    """

    url: str
    home: Path
    log: Path
    process: subprocess.Popen[bytes]


def local_home() -> Path:
    """Where the model is; skips the test when it is not."""
    chosen = os.environ.get("BOTKIT_TEST_HOME")
    home = Path(chosen) if chosen else Settings.load().home
    try:
        find_model(MODEL, home)
    except ModelFileError as error:
        pytest.skip(str(error))
    return home


def environment(home: Path, **variables: str) -> dict[str, str]:
    """This process's, with no other botkit variable than those given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "PORT" and not name.startswith(("BOTKIT_", "OPENAI_"))
    }
    return {**kept, "BOTKIT_HOME": str(home), "BOTKIT_WARM_UP": "false", **variables}


@contextmanager
def serving_local(home: Path, log: Path, *command: str, **variables: str) -> Iterator[LocalServer]:
    """Start a server (`botkit serve` unless ``command`` says which), wait until it is ready, and
    in the end see that Ctrl-C stops it with exit code 0."""
    arguments = command or ("-m", "botkit", "serve", "--port", "0")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(home, **variables),
        )
    try:
        yield LocalServer(_ready(process, log), home, log, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0, log.read_text()[-2000:]
    finally:
        process.kill()
        process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """The server's address, once ``/readyz`` says so."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"listens on (http://\S+)", log.read_text())
        if found and _answers(found[1]):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the server did not become ready:\n{log.read_text()[-2000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
