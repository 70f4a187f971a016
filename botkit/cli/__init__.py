"""The ``botkit`` command.

Exit codes: 0 done, 1 a :class:`~botkit.errors.BotkitError` (one line on stderr), 2 wrong usage,
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import os
import sys

USAGE_ERROR = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit."""
    try:
        status = _run()
    except KeyboardInterrupt:  # not in a command: while one was being imported, or closed
        status = INTERRUPTED
    sys.exit(status)


def _run() -> int:
    """The exit code of the command that the arguments name."""
    import click

    from botkit.cli.group import cli
    from botkit.errors import BotkitError

    _never_fail_on_encoding()
    try:
        status: int = cli.main(prog_name="botkit", standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        status = 1
    except click.exceptions.Exit as error:
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):  # click has ended the line
        status = INTERRUPTED
    except BotkitError as error:
        click.echo(f"botkit: {error}", err=True)
        status = 1
    return status


def _never_fail_on_encoding() -> None:
    """A terminal that cannot show a character gets a question mark, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _silence_stdout() -> None:
    """The reader went away (``| head``): keep the interpreter's last flush from complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
