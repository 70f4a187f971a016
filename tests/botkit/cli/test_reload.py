"""`botkit serve FILE --reload`: a change starts the bot again, and one signal ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

TIMEOUT = 30
BOT = """
import os
from botkit import Bot
print("bot", {number}, "of process", os.getpid(), flush=True)
bot = Bot()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "bot"
    folder.mkdir()
    file = folder / "bot.py"
    file.write_text(BOT.format(number=1))
    return file


@pytest.fixture
def serve(botkit_command, file: Path, free_port: int) -> Iterator[Callable[[], pexpect.spawn[str]]]:
    terminals: list[pexpect.spawn[str]] = []

    def start() -> pexpect.spawn[str]:
        terminal = botkit_command.terminal(
            "serve", str(file), "--reload", "--port", str(free_port), TERM="dumb"
        )
        terminals.append(terminal)
        terminal.timeout = TIMEOUT
        return terminal

    yield start
    for terminal in terminals:
        terminal.close(force=True)


def child(terminal: pexpect.spawn[str], number: int) -> int:
    """The process that serves the bot of that number, once it is ready."""
    terminal.expect(rf"bot {number} of process (\d+)")
    process = int(terminal.match[1])
    terminal.expect_exact("Ctrl-C stops the server.")
    return process


def alive(process: int) -> bool:
    """Whether it runs; one that ended and waits for its parent does not."""
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1] not in ("", "Z")


def test_a_change_starts_it_again(serve, file: Path, free_port: int) -> None:
    terminal = serve()
    first = child(terminal, 1)
    file.write_text(BOT.format(number=2))
    terminal.expect_exact("a file has changed: starting again ...")
    second = child(terminal, 2)
    assert second != first
    assert not alive(first)
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/healthz", timeout=TIMEOUT) as answer:
        assert answer.status == 200


def test_a_broken_file_is_said_and_a_mended_one_served(serve, file: Path) -> None:
    terminal = serve()
    first = child(terminal, 1)
    file.write_text("bot = (\n")
    terminal.expect(r"botkit: \S+bot\.py, line 1: SyntaxError: '\(' was never closed")
    assert not alive(first)
    file.write_text(BOT.format(number=3))
    child(terminal, 3)


def test_a_module_beside_it_counts(serve, file: Path) -> None:
    terminal = serve()
    first = child(terminal, 1)
    (file.parent / "helper.py").write_text("HELP = 1\n")
    terminal.expect_exact("a file has changed: starting again ...")
    assert child(terminal, 1) != first


@pytest.mark.parametrize("how", ["sigterm", "ctrl-c"])
def test_one_signal_ends_both_processes(serve, how: str) -> None:
    terminal = serve()
    process = child(terminal, 1)
    if how == "sigterm":
        os.kill(terminal.pid, signal.SIGTERM)
    else:
        terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus in (0, 130)
    assert "Traceback" not in terminal.before
    assert not alive(process)
