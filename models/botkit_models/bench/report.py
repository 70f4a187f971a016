"""Rows as a table for people and as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botkit_models.bench.bystanders import QUIET
from botkit_models.bench.row import Row

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 240


def show(rows: Sequence[Row]) -> None:
    """Print the table and the notes; a pipe gets lines as long as they are."""
    from rich.console import Console

    console = Console()
    console = console if console.is_terminal else Console(width=WIDE)
    console.print(table(rows))
    console.print()
    for line in notes(rows):
        console.print(line, style="dim", markup=False, highlight=False)


def table(rows: Sequence[Row]) -> Table:
    """One line per row; a bound that is not reached stands out."""
    from rich.table import Table

    view = Table(box=None, pad_edge=False)
    view.add_column("measured", overflow="fold")
    for title in ("botkit", "reference", "ratio"):
        view.add_column(title, justify="right", no_wrap=True)
    view.add_column("required", no_wrap=True)
    view.add_column("", no_wrap=True)
    for row in rows:
        view.add_row(row.name, _ours(row), _theirs(row), _ratio(row), row.required, _verdict(row))
    return view


def notes(rows: Sequence[Row]) -> list[str]:
    """What there is to say about the rows, one line each."""
    said = [(row.name, "; ".join(filter(None, (row.aim, row.note)))) for row in rows]
    return [f"{name}: {text}" for name, text in said if text]


def as_json(rows: Sequence[Row], conditions: Mapping[str, Any]) -> str:
    """The rows with the conditions they were measured under."""
    return json.dumps({"conditions": conditions, "rows": [_fields(row) for row in rows]}, indent=2)


def _fields(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "ours": row.ours,
        "theirs": row.theirs,
        "reference": row.reference or None,
        "ratio": row.ratio,
        "unit": row.unit,
        "required": row.required or None,
        "aim": row.bound.aim if row.bound else None,
        "met": row.met,
        "others": round(row.others, 3),
        "note": row.note,
    }


def _ours(row: Row) -> str:
    return "not measured" if row.ours is None else f"{_figure(row.ours)} {row.unit}".rstrip()


def _theirs(row: Row) -> str:
    return "" if row.theirs is None else f"{_figure(row.theirs)} {row.reference}"


def _ratio(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.3f}x"


def _figure(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


def _verdict(row: Row) -> str:
    if row.bound is None:
        return ""
    verdict = {True: "[green]met[/]", False: "[bold red]NOT MET[/]", None: "[yellow]unknown[/]"}
    disturbed = " [yellow](machine busy)[/]" if row.others > QUIET and row.met is not None else ""
    return verdict[row.met] + disturbed
