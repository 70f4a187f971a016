"""A bot file with errors: one message with file and line, and nothing of botkit's own insides."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

COMMANDS = [("serve", "--port", "0"), ("play", "telegram")]

BROKEN = {
    "from botkit import Bot\nbot = Bot(\n": ("bot.py, line 2: SyntaxError: '(' was never closed",),
    "from botkit import Bot\n\nbot = Bto()\n": (
        "bot.py, line 3: NameError: name 'Bto' is not defined",
        "\n    bot = Bto()\n",
    ),
    "import no_such_package\n": ("bot.py, line 1: ModuleNotFoundError: No module named",),
    "import helper\n": ("helper.py, line 4: ZeroDivisionError: division by zero",),
    "import json\njson.loads('{')\n": ("bot.py, line 2: JSONDecodeError: ",),
    "raise SystemExit(3)\n": ("bot.py, line 1: SystemExit: 3",),
    "from botkit import Bot\nbot = Bot()\n\n@bot.command('Not a name')\ndef f(): ...\n": (
        "bot.py, line 4: HandlerError: 'Not a name' cannot be a command",
    ),
    "from botkit import Bot\nbot = Bot()\n\n@bot.default\nasync def f(turn, mystery): ...\n": (
        "bot.py, line 4: HandlerError: ",
        "mystery",
    ),
    "from botkit import Bot\none = Bot()\ntwo = Bot()\n": (
        "bot.py has 2 bots (one, two); one should be named bot, as in: bot = Bot()",
    ),
    "import botkit\n": ("bot.py has no bot;",),
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("text", BROKEN)
def test_an_error_is_a_message_with_file_and_line(
    botkit_command, tmp_path: Path, command: tuple[str, ...], text: str
) -> None:
    file = tmp_path / "bot.py"
    file.write_text(text)
    (tmp_path / "helper.py").write_text("\n\ndef go():\n    return 1 / 0\n\ngo()\n")
    done = botkit_command.run(*command, str(file))
    errors = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert errors.startswith(f"botkit: {tmp_path}{os.sep}")
    for part in BROKEN[text]:
        assert part in errors
    assert "Traceback" not in errors
    assert errors.count("\n") <= 2


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.py", "there is no file"),
        (".", "there is no file"),
        ("bot.txt", "its name must end with .py"),
    ],
)
def test_what_is_no_python_file(
    botkit_command, tmp_path: Path, command: tuple[str, ...], name: str, reason: str
) -> None:
    (tmp_path / "bot.txt").write_text("bot = 1")
    done = botkit_command.run(*command, str(tmp_path / name))
    assert done.returncode == 1
    assert reason in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_bot_of_another_name_is_found_and_its_neighbours_too(
    botkit_command, tmp_path: Path
) -> None:
    (tmp_path / "words.py").write_text("GREETING = 'Hello from words.'\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "from botkit import Bot\nfrom words import GREETING\n\nmine = also = Bot()\n\n"
        "@mine.default\nasync def f() -> str:\n    return GREETING\n"
    )
    done = botkit_command.run("play", "telegram", str(file), stdin=b"hi")
    assert done.stdout == b"Alice: hi\nbot: Hello from words.\n"
