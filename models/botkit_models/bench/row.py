"""One line of the benchmark: what was measured, against what, and whether it is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Bound:
    """What a row must reach.

    Fields:
        at: Whether more or less is better.
        limit: The figure itself.
        of: What is compared with it: the ratio of ours to theirs, or our value.
        aim: The figure that would be better still, if one is set.
    """

    at: Literal["least", "most"]
    limit: float
    of: Literal["ratio", "value"] = "value"
    aim: float | None = None

    def holds(self, figure: float) -> bool:
        """Whether ``figure`` is enough."""
        return figure >= self.limit if self.at == "least" else figure <= self.limit


@dataclass(frozen=True)
class Row:
    """A measured figure.

    Fields:
        name: What was measured.
        unit: Of ``ours`` and ``theirs``.
        ours: Our figure; None when it was not measured, and ``note`` says why.
        theirs: The reference's figure, from the same run; None without a reference.
        reference: What ``theirs`` is a figure of.
        bound: What must be reached; None for a row that only informs.
        others: The part of the machine that other processes had meanwhile, 0 to 1.
        note: For people: spread, conditions, or why something is missing.
    """

    name: str
    unit: str
    ours: float | None = None
    theirs: float | None = None
    reference: str = ""
    bound: Bound | None = None
    note: str = ""
    others: float = 0.0

    @property
    def ratio(self) -> float | None:
        """Ours divided by theirs, where both are there."""
        if self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs

    @property
    def required(self) -> str:
        """The bound in words; empty without one."""
        if self.bound is None:
            return ""
        return f"at {self.bound.at} {self._in_words(self.bound.limit)}"

    @property
    def aim(self) -> str:
        """The aim in words; empty without one."""
        if self.bound is None or self.bound.aim is None:
            return ""
        return f"aim {self._in_words(self.bound.aim)}"

    def _in_words(self, figure: float) -> str:
        """A figure of the bound with its unit."""
        ratio = self.bound is not None and self.bound.of == "ratio"
        return f"{figure:g}x" if ratio else f"{figure:g} {self.unit}".rstrip()

    @property
    def met(self) -> bool | None:
        """Whether the bound is reached; None without a bound or without the figure."""
        if self.bound is None:
            return None
        figure = self.ratio if self.bound.of == "ratio" else self.ours
        return None if figure is None else self.bound.holds(figure)
