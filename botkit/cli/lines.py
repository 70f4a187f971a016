"""The lines that a person types, or that stand in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import click

from botkit.cli.session import enable_line_editing


def lines(prompt: str) -> Iterator[str]:
    """What the person types, or what stands in the pipe, without empty lines."""
    if sys.stdin.isatty():
        enable_line_editing()
        read = partial(_typed, prompt)
    else:
        read = partial(_piped, prompt)
    while (line := read()) is not None:
        if line.strip():
            yield line.strip()


def _typed(prompt: str) -> str | None:
    """A line of the terminal; None at Ctrl-D."""
    if not sys.stdout.isatty():
        click.echo(prompt, nl=False, err=True)
        prompt = ""
    try:
        return input(prompt)
    except EOFError:
        click.echo(err=True)
        return None
    except UnicodeError:
        click.secho("that line is not valid text (UTF-8)", dim=True, err=True)
        return ""


def _piped(prompt: str) -> str | None:
    """A line of a pipe, said aloud; None at its end."""
    line = sys.stdin.buffer.readline()
    text = line.decode("utf-8", "replace")
    if text.strip():
        click.echo(f"{prompt}{text.strip()}")
    return text if line else None
