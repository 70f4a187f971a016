"""`botkit` itself: help, version, and commands of other packages."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest


def add_command(folder: Path, module: str) -> dict[str, str]:
    info = folder / "acme_bot-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bot\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[botkit.commands]\nacme = acme_bot:acme\n")
    (folder / "acme_bot.py").write_text(module)
    return {"PYTHONPATH": str(folder)}


def test_the_version_is_the_installed_one(botkit_command) -> None:
    done = botkit_command.run("--version")
    assert done.stdout.decode() == f"botkit {metadata.version('botkit')}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_lists_core_commands_and_plugins(botkit_command, arguments: list[str]) -> None:
    done = botkit_command.run(*arguments)
    assert done.returncode == 0
    listed = done.stdout.decode().partition("Commands:")[2]
    for command in ("bench", "chat", "doctor", "models", "pull", "serve"):
        assert f"\n  {command} " in listed


def test_a_command_of_another_package_runs(botkit_command, tmp_path: Path) -> None:
    module = "import click\n@click.command()\ndef acme():\n    'Do it.'\n    click.echo('done')\n"
    done = botkit_command.run("acme", **add_command(tmp_path, module))
    assert (done.stdout, done.returncode) == (b"done\n", 0)


def test_a_broken_command_does_not_break_help(botkit_command, tmp_path: Path) -> None:
    variables = add_command(tmp_path, "import no_such_package_at_all\n")
    done = botkit_command.run("--help", **variables)
    assert done.returncode == 0
    assert b"no_such_package_at_all" in done.stdout
    done = botkit_command.run("acme", **variables)
    assert done.returncode == 1
    assert done.stderr.startswith(b"botkit: the command 'acme' could not be loaded")


def test_an_unknown_command_is_wrong_usage(botkit_command) -> None:
    done = botkit_command.run("dance")
    assert done.returncode == 2
    assert b"dance" in done.stderr
