"""The engine and llama.cpp taking turns at the same work, and the row that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from botkit_models.bench.engine_side import EngineSide
from botkit_models.bench.llama import LlamaSide
from botkit_models.bench.measure import alternate, disturbance, median, spread
from botkit_models.bench.row import Bound, Row

UNIT = "tokens/s"
REFERENCE = "llama.cpp"


@dataclass(frozen=True)
class Contest:
    """The two sides and how often they take turns.

    Fields:
        engine: Ours.
        llama: Theirs; None without llama.cpp.
        missing: Why there is none; for the notes.
        repeats: Turns that count.
    """

    engine: EngineSide
    llama: LlamaSide | None
    missing: str
    repeats: int

    def row(
        self,
        name: str,
        ours: Callable[[], float],
        theirs: Callable[[LlamaSide], float],
        bound: Bound,
        tell: Callable[[], str] = str,
    ) -> Row:
        """Let both sides take turns, ours first.

        Args:
            name: What is measured.
            ours, theirs: Each returns tokens per second.
            bound: What must be reached.
            tell: Asked afterwards for what else there is to say.
        """
        llama = self.llama
        sides = [ours] if llama is None else [ours, lambda: theirs(llama)]
        turns = alternate(sides, self.repeats, [] if llama is None else [llama.pid])
        mine, *others = zip(*(turn.figures for turn in turns), strict=True)
        busy = max(turn.others for turn in turns)
        said = [f"botkit {spread(mine)}", *(f"{REFERENCE} {spread(one)}" for one in others)]
        note = "; ".join(filter(None, [*said, self.missing, tell()])) + disturbance(busy)
        if not others:
            return Row(name, UNIT, median(mine), bound=bound, note=note, others=busy)
        return Row(name, UNIT, median(mine), median(others[0]), REFERENCE, bound, note, busy)
