"""``botkit pull``: bring a model here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from botkit_models.pull import Report


@click.command()
@click.argument("source")
@click.option(
    "--weights",
    type=click.Choice(["int8", "bfloat16", "float32"]),
    default="int8",
    show_default=True,
    help="Form the model is served from.",
)
@click.option("--name", help="What to call it; made from the source when left out.")
@click.option("--force", is_flag=True, help="Bring it again although it is there.")
@click.option(
    "--keep-source", is_flag=True, help="Keep the GGUF file that was downloaded, for benchmarks."
)
def pull(
    source: str,
    weights: Literal["int8", "bfloat16", "float32"],
    name: str | None,
    force: bool,
    keep_source: bool,
) -> None:
    """Bring a model: a known name, FILE.gguf, a model folder, or hf:org/name.

    `botkit models` lists the known names.
    """
    from botkit.settings import Settings
    from botkit_models.pull import pull as bring

    with _bar() as report:
        folder = bring(
            source,
            home=Settings.load().home,
            name=name,
            weights=weights,
            force=force,
            keep_source=keep_source,
            progress=report,
        )
    click.echo(f"{folder.name} is ready: {folder}")


@contextmanager
def _bar() -> Iterator[Report]:
    """A progress bar on stderr, one line per stage; without a terminal, only the last state."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.fields[amount]:>16}"),
        TimeRemainingColumn(),
    )
    stages: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as bar:

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in stages:
                _finish(bar)
                stages[stage] = bar.add_task(stage, total=total, amount="")
            bar.update(stages[stage], completed=done, total=total, amount=_amount(done, total))

        yield report
        _finish(bar)


def _finish(bar: Progress) -> None:
    """What came before the next stage is complete."""
    for task in bar.tasks:
        total = task.total or 1
        amount = _amount(int(task.total), int(task.total)) if task.total else ""
        bar.update(task.id, total=total, completed=total, amount=amount)


def _amount(done: int, total: int | None) -> str:
    return "" if not total else f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
