"""`botkit play` on a terminal: the reply is seen while it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

REPLY = "The first half is **here**, and now, after quite a while, comes the second half."
PLUGIN = """
from botkit.completion.scripted import ScriptedCompletion

def make(settings):
    return """

PLACES = {
    "telegram --in private": "bot",
    "telegram --in group --polling": "bot",
    "slack --in dm": "bot",
    "slack --in channel": "bot (in the thread)",
    "slack --in assistant --socket-mode": "bot",
}
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def plugin(tmp_path: Path, completion: str) -> dict[str, str]:
    """Variables that choose a completion made by that expression."""
    folder = tmp_path / "plugin"
    info = folder / "streaming_bot-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: streaming-bot\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[botkit.completions]\nstreaming = streaming_bot:make\n")
    (folder / "streaming_bot.py").write_text(PLUGIN + completion)
    return {"PYTHONPATH": str(folder), "BOTKIT_COMPLETION": "streaming"}


@pytest.fixture
def play(botkit_command, tmp_path: Path) -> Iterator[Callable[..., pexpect.spawn[str]]]:
    """Start it on a terminal, with a completion that takes its time."""
    chosen = plugin(tmp_path, f"ScriptedCompletion(replies=[{REPLY!r}], delay=0.2)")
    terminals: list[pexpect.spawn[str]] = []

    def start(options: str, **variables: str) -> pexpect.spawn[str]:
        terminal = botkit_command.terminal("play", *options.split(), **{**chosen, **variables})
        terminals.append(terminal)
        terminal.expect_exact("Alice: ")
        return terminal

    yield start
    for terminal in terminals:
        terminal.close(force=True)


def ended(terminal: pexpect.spawn[str]) -> int | None:
    """The exit code, once the process has ended."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert "Traceback" not in terminal.before
    return terminal.exitstatus


@pytest.mark.parametrize("options", PLACES)
def test_a_reply_is_seen_while_it_is_written(play, options: str) -> None:
    terminal = play(options)
    terminal.sendline("hello")
    terminal.expect(r"second\s+half\.\r\nAlice: ")
    frames = [f" {frame}" for frame in (terminal.before + terminal.after).split("\x1b[2K")]
    seen = [frame for frame in frames if f" {PLACES[options]}: The first half" in frame]
    assert "comes the" not in seen[0]
    assert "comes the" in seen[-1]
    terminal.sendeof()
    assert ended(terminal) == 0


def test_the_finished_reply_takes_the_place_of_the_drafts(play) -> None:
    """A terminal that obeys the control codes shows it once."""
    terminal = play("telegram")
    terminal.sendline("hello")
    terminal.expect(r"second half\.\r\nAlice: ")
    frames = (terminal.before + terminal.after).split("\x1b[2K")
    assert len(frames) > 2  # each frame is erased before the next is drawn
    last = " ".join(CONTROL.sub("", frames[-1]).split())
    assert last == f"bot: {REPLY.replace('*', '')} Alice:"


def test_ctrl_c_ends_it_in_the_middle_of_a_reply(play) -> None:
    terminal = play("telegram")
    terminal.sendline("hello")
    terminal.expect("The first half[^.]*▌")
    terminal.sendintr()
    assert ended(terminal) == 130


def test_ctrl_c_ends_it_at_the_prompt(play) -> None:
    terminal = play("slack --in channel --socket-mode")
    for _ in range(10):  # readline misses one that comes between its prompt and its waiting
        terminal.sendintr()
        if terminal.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=3) == 0:
            break
    terminal.close()
    assert terminal.exitstatus == 130


def test_ctrl_c_ends_it_while_the_model_loads(botkit_command, tmp_path: Path) -> None:
    folder = plugin(tmp_path, "ScriptedCompletion(start_delay=600)")
    terminal = botkit_command.terminal("play", "telegram", **folder)
    terminal.expect_exact("waking the model ...")
    terminal.sendintr()
    assert ended(terminal) == 130


def test_control_characters_of_a_reply_do_not_reach_the_terminal(botkit_command, tmp_path) -> None:
    folder = plugin(tmp_path, r"ScriptedCompletion(replies=['a\x1b]0;title\x07b'])")
    terminal = botkit_command.terminal("play", "slack", **folder)
    terminal.expect_exact("Alice: ")
    terminal.sendline("hello")
    terminal.expect_exact("bot: a]0;titleb\r\nAlice: ")
    terminal.sendeof()
    assert ended(terminal) == 0


def test_a_dumb_terminal_sees_what_is_finished(play) -> None:
    terminal = play("telegram", TERM="dumb")
    terminal.sendline("hello")
    terminal.expect_exact("bot: The first half is here")
    assert "▌" not in terminal.before
    terminal.expect_exact("Alice: ")
    terminal.sendeof()
    assert ended(terminal) == 0
