"""``botkit models``: what is here, and what can be pulled by name."""

from __future__ import annotations

from pathlib import Path

import click

WIDE = 500


@click.command()
def models() -> None:
    """List installed models, and known ones that can be pulled."""
    from rich.console import Console
    from rich.table import Table

    from botkit.settings import Settings
    from botkit_models.home import installed_models, model_folder
    from botkit_models.registry import KNOWN

    home = Settings.load().home
    installed = installed_models(home)
    table = Table("name", "family", "parameters", "weights", "size", box=None)
    table.add_column("path", overflow="fold")
    for name in installed:
        table.add_row(name, *_describe(model_folder(name, home)))
    for known in KNOWN.values():
        if known.name not in installed:
            table.add_row(known.name, "", "", "", "", f"not installed: botkit pull {known.name}")
    console = Console()
    # Paths are for copying: a pipe gets them whole.
    (console if console.is_terminal else Console(width=WIDE)).print(table)


def _describe(folder: Path) -> tuple[str, str, str, str, str]:
    """Family, parameters, weights, size on disk and path; a damaged model says so."""
    from botkit.errors import ModelFileError
    from botkit_models.pull.progress import folder_size
    from botkit_models.weights.native import open_native, weights_kind
    from botkit_models.weights.shapes import count_parameters

    size = f"{folder_size(folder) / (1 << 20):.0f} MiB"
    try:
        model = open_native(folder)
    except ModelFileError as error:
        return "damaged", "", "", size, str(error)
    parameters = model.metadata.get("parameters") or str(count_parameters(model.config))
    return model.config.family, _short(int(parameters)), weights_kind(model), size, str(folder)


def _short(number: int) -> str:
    """135 million as ``135M``."""
    for unit, name in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            value = number / unit
            return f"{value:.1f}{name}" if value < 10 else f"{value:.0f}{name}"
    return str(number)
