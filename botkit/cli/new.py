"""``botkit new``: a folder with a bot, its test and a Makefile."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import click

from botkit.errors import SettingsError

TEMPLATES = "botkit.cli.scaffold"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
"""https://packaging.python.org/en/latest/specifications/name-normalization/#name-format"""


@click.command(short_help="Write a new bot with a test.")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Write a bot that answers a command and asks the model otherwise, with a test."""
    name = folder.resolve().name
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} is no name for a project: letters, digits, and . _ - between them"
        )
    try:
        _write(folder, name)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error.strerror or error}") from None
    click.echo(f"{folder} is written. Now:\n\n  cd {folder} && make test{_python()}\n  make run")


def _write(folder: Path, name: str) -> None:
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise SettingsError(f"{folder} exists already; choose a folder that does not")
    folder.mkdir(parents=True, exist_ok=True)
    for template in sorted(files(TEMPLATES).iterdir(), key=lambda each: each.name):
        if template.name.endswith(".txt"):
            text = template.read_text("utf-8").replace("{name}", name)
            (folder / template.name.removesuffix(".txt")).write_text(text, "utf-8")


def _python() -> str:
    """What ``make`` must be told where this Python is not the one that ``python`` means."""
    first = shutil.which("python")
    if first and Path(first).parent == Path(sys.executable).parent:
        return ""
    return f" PYTHON={sys.executable}"
