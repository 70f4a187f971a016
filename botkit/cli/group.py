"""The ``botkit`` group: commands are imported when they run, so that ``--help`` stays quick."""

from __future__ import annotations

from importlib import import_module, metadata

import click

from botkit import plugins
from botkit.errors import BotkitError

CORE = {
    "chat": "botkit.cli.chat",
    "conversations": "botkit.cli.conversations",
    "deadletters": "botkit.cli.deadletters",
    "doctor": "botkit.cli.doctor",
    "migrate": "botkit.cli.migrate",
    "new": "botkit.cli.new",
    "play": "botkit.cli.play",
    "push": "botkit.cli.push",
    "serve": "botkit.cli.serve",
}


class LazyGroup(click.Group):
    """Core commands from ``botkit.cli``, others from the entry points ``botkit.commands``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name. Nothing is imported."""
        return sorted({*CORE, *plugins.names(plugins.COMMANDS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of that name."""
        command: click.Command | None = None
        if cmd_name in CORE:
            command = getattr(import_module(CORE[cmd_name]), cmd_name)
        elif cmd_name in plugins.names(plugins.COMMANDS):
            command = plugins.load(plugins.COMMANDS, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands; one that needs a missing extra says so instead of failing."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self._summary(ctx, name)) for name in self.list_commands(ctx)]
            )

    def _summary(self, ctx: click.Context, name: str) -> str:
        try:
            command = self.get_command(ctx, name)
        except BotkitError as error:
            return f"({error})"
        return command.get_short_help_str(limit=60) if command else ""


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"botkit {metadata.version('botkit')}")
        ctx.exit()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Chat bots answered by a model in the process, or by any endpoint.

    Settings come from environment variables; `botkit doctor` lists them.
    """
