"""What the parts of the attention kernel tell one another."""

from __future__ import annotations

from typing import NamedTuple, Self

from botkit_models.kernels.emit import F32, I32, I64, PTR, Value
from botkit_models.kernels.panel import COLUMNS
from botkit_models.kernels.record import Record

BLOCK = 16
"""Positions per block of the cache."""

SPLIT = 128
"""Positions whose weights are summed on their own, before the sums are merged in order. Splits lie
at multiples of this, so a query's bits do not depend on how its keys were divided for work."""

ROWS = 48
"""Most query rows (tokens times heads of a group) that share the loading of keys."""

Job = Record(
    {
        "q": PTR,
        "k": PTR,
        "v": PTR,
        "cos": PTR,
        "sin": PTR,
        "positions": PTR,
        "slots": PTR,
        "tables": PTR,
        "keys": PTR,
        "values": PTR,
        "mixed": PTR,
        "tokens": I64,
        "heads": I64,
        "kv_heads": I64,
        "group": I64,
        "head_dim": I64,
        "padded_dim": I64,
        "table_width": I64,
        "window": I64,
        "scale": F32,
        "softcap": F32,
        "tile_tokens": I64,
        "tiles": PTR,
        "splits": I64,
        "partials": PTR,
    }
)

Tile = Record({"first": I64, "count": I64, "oldest": I64, "newest": I64})
"""Neighbouring tokens of one slot, and their first and last position."""


class Scratch:
    """Where a chunk's things lie in a thread's scratch memory.

    Args:
        job: Of this work.
        memory: Of this thread.
    """

    def __init__(self, job: Value, memory: Value) -> None:
        D, width = Job.load(job, "head_dim"), Job.load(job, "padded_dim")
        rows = Job.load(job, "tile_tokens") * Job.load(job, "group")
        self.limits = memory
        self.peaks = memory.at(I32, rows)
        self.totals = self.peaks.at(F32, rows)
        self.new_peaks = self.totals.at(F32, rows)
        self.new_totals = self.new_peaks.at(F32, rows)
        self.q = memory.at(F32, (rows * 5 + 15) & -16)
        self.mixed = self.q.at(F32, rows * D)
        self.new_mixed = self.mixed.at(F32, rows * width)
        self.scores = self.new_mixed.at(F32, rows * width)
        self.panel = self.scores.at(F32, rows * SPLIT)

    @staticmethod
    def size(rows: Value, width: Value) -> Value:
        """Bytes needed for so many query rows, ``width`` being ``D`` padded."""
        return (rows * (width * 3 + SPLIT + 5) + (width + SPLIT) * COLUMNS + 16) * 4


class Partial(NamedTuple):
    """Where a split's result waits: rows of mixed values, their peaks and totals."""

    mixed: Value
    peaks: Value
    totals: Value

    @classmethod
    def of(cls, job: Value, pair: Value, split: Value) -> Self:
        """That of a pair (tile and head) and a split."""
        width = Job.load(job, "padded_dim")
        rows = Job.load(job, "tile_tokens") * Job.load(job, "group")
        place = (pair * Job.load(job, "splits") + split) * (cls.size(rows, width) >> 2)
        mixed = Job.load(job, "partials").at(F32, place)
        peaks = mixed.at(F32, rows * width)
        return cls(mixed, peaks, peaks.at(F32, rows))

    @staticmethod
    def size(rows: Value, width: Value) -> Value:
        """Bytes of one, ``width`` being ``D`` padded."""
        return ((rows * (width + 2) + 15) & -16) * 4
