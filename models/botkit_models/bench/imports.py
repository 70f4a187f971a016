"""What ``import botkit`` costs."""

from __future__ import annotations

import subprocess
import sys
import time

from botkit_models.bench.measure import alternate, disturbance, median, spread
from botkit_models.bench.row import Bound, Row

IMPORT = Bound("most", 250.0)
NO_JAX = Bound("most", 0.0)
HEAVY = "jax jaxlib flax numpy"


def import_rows(repeats: int) -> list[Row]:
    """A process that imports botkit beside one that does nothing; whether it brought JAX."""
    turns = alternate(
        [lambda: _milliseconds("import botkit"), lambda: _milliseconds("pass")], repeats
    )
    ours, theirs = zip(*(turn.figures for turn in turns), strict=True)
    busy = max(turn.others for turn in turns)
    heavy = _run(f"import botkit, sys; print(*(set('{HEAVY}'.split()) & set(sys.modules)))").split()
    return [
        Row(
            "import botkit, whole process",
            "ms",
            median(ours),
            median(theirs),
            "bare interpreter",
            IMPORT,
            f"botkit {spread(ours)}; bare {spread(theirs)}{disturbance(busy)}",
            busy,
        ),
        Row(
            "import botkit: heavy packages imported",
            "",
            float(len(heavy)),
            bound=NO_JAX,
            note=f"looked for {HEAVY}" + (f"; found {' '.join(heavy)}" if heavy else ""),
        ),
    ]


def _milliseconds(code: str) -> float:
    began = time.perf_counter()
    _run(code)
    return (time.perf_counter() - began) * 1000


def _run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
