"""Rows, their bounds, and how they are shown."""

from __future__ import annotations

import dataclasses
import json
from io import StringIO

import pytest
from rich.console import Console

from botkit_models.bench.report import as_json, notes, table
from botkit_models.bench.row import Bound, Row

FAST = Row("fast", "tokens/s", 300.0, 150.0, "llama.cpp", Bound("least", 1.5, of="ratio"), "calm")
SLOW = Row("slow", "s", 6.0, bound=Bound("most", 5.0))
UNKNOWN = Row("alone", "tokens/s", 300.0, bound=Bound("least", 1.5, of="ratio"), note="no llama")
MISSING = Row("quality", "", note="the dialogues are not here")
ROWS = [FAST, SLOW, UNKNOWN, MISSING]


def rendered(rows: list[Row]) -> list[str]:
    out = StringIO()
    Console(file=out, width=200, color_system=None).print(table(rows))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("bound", "figure", "holds"),
    [
        (Bound("least", 1.5), 1.5, True),
        (Bound("least", 1.5), 1.49, False),
        (Bound("most", 700), 700, True),
        (Bound("most", 700), 700.1, False),
        (Bound("most", 0), 0, True),
    ],
)
def test_a_bound_includes_its_limit(bound: Bound, figure: float, holds: bool) -> None:
    assert bound.holds(figure) is holds


@pytest.mark.parametrize(
    ("row", "ratio", "required", "met"),
    [
        (FAST, 2.0, "at least 1.5x", True),
        (SLOW, None, "at most 5 s", False),
        (UNKNOWN, None, "at least 1.5x", None),
        (MISSING, None, "", None),
        (
            Row("same", "", 9.3, 9.0, "float32", Bound("most", 1.025, of="ratio")),
            9.3 / 9,
            "at most 1.025x",
            False,
        ),
        (Row("nothing", "ms", 9.3, 0.0, "reference"), None, "", None),
    ],
)
def test_a_row_tells_its_ratio_and_whether_it_is_enough(
    row: Row, ratio: float | None, required: str, met: bool | None
) -> None:
    assert (row.ratio, row.required, row.met) == (ratio, required, met)


def test_the_table_marks_what_is_not_reached() -> None:
    head, fast, slow, unknown, missing = rendered(ROWS)
    assert head.split() == ["measured", "botkit", "reference", "ratio", "required"]
    assert fast.split("  ")[0] == "fast"
    for part in ("300 tokens/s", "150 llama.cpp", "2.000x", "at least 1.5x"):
        assert part in fast
    assert fast.rstrip().endswith(" met")
    assert slow.rstrip().endswith("NOT MET")
    assert unknown.rstrip().endswith("unknown")
    assert "not measured" in missing
    assert "met" not in missing.lower()


def test_a_verdict_from_a_busy_machine_says_so() -> None:
    _, busy, quiet = rendered([dataclasses.replace(FAST, others=0.4), FAST])
    assert busy.rstrip().endswith(" met (machine busy)")
    assert quiet.rstrip().endswith(" met")


def test_every_note_is_told_with_its_row() -> None:
    assert notes(ROWS) == [
        "fast: calm",
        "alone: no llama",
        "quality: the dialogues are not here",
    ]


def test_an_aim_is_told_with_the_notes_and_decides_nothing() -> None:
    bound = Bound("least", 1.5, of="ratio", aim=3.0)
    row = dataclasses.replace(FAST, bound=bound)
    assert (row.required, row.met) == ("at least 1.5x", True)
    assert notes([row]) == ["fast: aim 3x; calm"]
    bare = Row("warm", "s", 3.0, bound=Bound("most", 3.5, aim=2.0))
    assert notes([bare]) == ["warm: aim 2 s"]


def test_json_holds_every_field_and_the_conditions() -> None:
    found = json.loads(as_json(ROWS, {"cores": 2}))
    assert found["conditions"] == {"cores": 2}
    assert found["rows"][0] == {
        "name": "fast",
        "ours": 300.0,
        "theirs": 150.0,
        "reference": "llama.cpp",
        "ratio": 2.0,
        "unit": "tokens/s",
        "required": "at least 1.5x",
        "aim": None,
        "met": True,
        "others": 0.0,
        "note": "calm",
    }
    assert [row["met"] for row in found["rows"]] == [True, False, None, None]
