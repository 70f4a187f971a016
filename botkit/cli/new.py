"""``botkit new``: a folder with a bot, its test and a Makefile."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import click

from botkit.errors import SettingsError

TEMPLATES = "botkit.cli.scaffold"


@click.command(short_help="Write a new bot with a test.")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Write a bot that answers a command and asks the model otherwise, with a test."""
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise SettingsError(f"{folder} exists already; choose a folder that does not")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", folder.name):
        raise SettingsError(f"{folder.name!r} is no name for a project: letters, digits, . _ -")
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted(files(TEMPLATES).iterdir(), key=lambda each: each.name):
        if template.name.endswith(".txt"):
            name = template.name.removesuffix(".txt")
            (folder / name).write_text(template.read_text("utf-8").replace("{name}", folder.name))
    click.echo(f"{folder} is written. Now:\n\n  cd {folder} && make test\n  make run")
