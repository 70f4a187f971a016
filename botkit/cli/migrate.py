"""``botkit migrate``: bring the database to this version of botkit."""

from __future__ import annotations

import click

from botkit.cli.database import run_on_database
from botkit.settings import Settings
from botkit.store import database_version
from botkit.store import migrate as apply
from botkit.variables import mask_password


@click.command(short_help="Bring the database to this version of botkit.")
def migrate() -> None:
    """Apply the migrations that the database of BOTKIT_DATABASE_URL lacks.

    `botkit serve` does so when it starts; this is for those who want to do it before, with another
    user's rights or while nothing runs. A database that is missing is made where it is a file.
    """
    url = Settings.load().database

    async def run() -> tuple[list[str], int]:
        return await apply(url), await database_version(url)

    applied, version = run_on_database(run())
    for name in applied:
        click.echo(f"applied {name}")
    state = "is now" if applied else "was already"
    click.echo(f"{mask_password(url)} {state} of version {version}, the newest that botkit knows")
