"""``botkit deadletters``: what was given up, and another try."""

from __future__ import annotations

import click

from botkit.cli.conversations import moment
from botkit.cli.database import limit_option, with_store
from botkit.errors import SettingsError

LARGEST = 2**63 - 1
"""Number of a row in a database."""


@click.group(short_help="List and retry what was given up.")
def deadletters() -> None:
    """Turns that no handler could answer, and replies that no platform took."""


@deadletters.command("list")
@limit_option(50, "How many, the latest first.")
def list_(limit: int) -> None:
    """The latest dead letters: number, time, kind, conversation, reason."""
    found = with_store(lambda store: store.dead_letters(limit))
    for each in found:
        click.echo(f"{each.id}  {moment(each.at)}  {each.kind}  {each.conversation}  {each.reason}")
    if not found:
        click.echo("no dead letters", err=True)


@deadletters.command()
@click.argument("number", type=click.IntRange(1, LARGEST))
def retry(number: int) -> None:
    """Put a dead letter back at the end of its conversation's queue."""
    if not with_store(lambda store: store.retry_dead_letter(number)):
        raise SettingsError(
            f"there is no dead letter {number}; `botkit deadletters list` shows them"
        )
    click.echo(f"{number} will be tried again")
