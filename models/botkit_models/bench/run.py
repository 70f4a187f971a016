"""The whole benchmark, part by part; a part that cannot be measured says why."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from botkit.errors import BotkitError, SettingsError
from botkit.settings import Settings
from botkit_models.bench.dialogues import find_dialogues, read_dialogues
from botkit_models.bench.imports import import_rows
from botkit_models.bench.llama import NOT_INSTALLED, LlamaSide
from botkit_models.bench.measure import cores
from botkit_models.bench.memory import memory_rows
from botkit_models.bench.parts import CONTEST_PARTS, PARTS, Part
from botkit_models.bench.row import Row
from botkit_models.bench.server import server_rows
from botkit_models.bench.source_file import source_file
from botkit_models.home import find_model
from botkit_models.pull.source import read_checkpoint

REPEATS, QUICK_REPEATS = 5, 1
DIALOGUES, QUICK_DIALOGUES = 24, 2
PACKAGES = ("botkit", "jax", "jaxlib", "flax", "numpy")


@dataclass(frozen=True)
class Plan:
    """What to measure, and with what.

    Fields:
        settings: The model and its folders.
        parts: What to measure.
        quick: Hardly any repeats: to see that it works, not how fast.
        gguf: The file that the model was made of; brought when needed and None.
        llama: An interpreter that has llama.cpp, or None.
        shared: Folder of datasets, or None for ``../shared``.
        tell: Hears what comes next.
    """

    settings: Settings
    parts: tuple[Part, ...] = PARTS
    quick: bool = False
    gguf: Path | None = None
    llama: str | None = None
    shared: Path | None = None
    tell: Callable[[str], None] = print

    @property
    def repeats(self) -> int:
        """How often each side is measured."""
        return QUICK_REPEATS if self.quick else REPEATS


@dataclass
class Bench:
    """One run of a plan."""

    plan: Plan
    llama_version: str | None = None
    load_before: float = 0.0

    def rows(self) -> list[Row]:
        """Measure part by part, in the order of :data:`PARTS`."""
        self.load_before = os.getloadavg()[0]
        rows = [
            *self._part("import", lambda: import_rows(self.plan.repeats)),
            *self._part("server", self._server),
            *self._part("memory", self._memory),
        ]
        if wanted := [part for part in self.plan.parts if part in CONTEST_PARTS]:
            rows += self._tried(", ".join(wanted), self._contest)
        return rows + self._part("quality", self._quality)

    def _part(self, part: Part, measure: Callable[[], list[Row]]) -> list[Row]:
        """The rows of one part, if it is wanted."""
        if part not in self.plan.parts:
            return []
        self.plan.tell(f"measuring: {part}")
        return self._tried(part, measure)

    def _tried(self, name: str, measure: Callable[[], list[Row]]) -> list[Row]:
        """The rows, or one that says why there are none."""
        try:
            return measure()
        except BotkitError as error:
            return [Row(name, "", note=str(error))]

    def conditions(self) -> dict[str, Any]:
        """What the figures depend on: machine, versions, how busy the machine was."""
        return {
            "model": self.plan.settings.model,
            "repeats": self.plan.repeats,
            "machine": f"{platform.system()} {platform.machine()}",
            "cores": cores(),
            "load_before": round(self.load_before, 2),
            "python": platform.python_version(),
            **{package: _version(package) for package in PACKAGES},
            "llama_cpp": self.llama_version,
        }

    def _server(self) -> list[Row]:
        find_model(self.plan.settings.model, self.plan.settings.home)
        return server_rows(self.plan.settings, self.plan.repeats)

    def _memory(self) -> list[Row]:
        find_model(self.plan.settings.model, self.plan.settings.home)
        return memory_rows(self.plan.settings)

    def _contest(self) -> list[Row]:
        """The parts for which the engine is loaded into this process."""
        # Imported late: JAX, which the parts before have no use for.
        from botkit_models.bench.contest import Contest
        from botkit_models.bench.engine_side import EngineSide
        from botkit_models.bench.quoting import quoting_rows
        from botkit_models.bench.speed import decode_rows, prefill_rows, stream_rows
        from botkit_models.bench.turns import turn_rows

        parts: dict[Part, Callable[[Contest], list[Row]]] = {
            "prefill": prefill_rows,
            "decode": decode_rows,
            "quoting": quoting_rows,
            "streams": stream_rows,
            "turns": turn_rows,
        }
        settings = self.plan.settings
        folder = find_model(settings.model, settings.home)
        with ExitStack() as stack:
            llama, missing = self._open_llama(stack)
            engine = stack.enter_context(EngineSide(folder, settings))
            contest = Contest(engine, llama, missing, self.plan.repeats)
            return [
                row
                for part, measure in parts.items()
                for row in self._part(part, partial(measure, contest))
            ]

    def _open_llama(self, stack: ExitStack) -> tuple[LlamaSide | None, str]:
        """llama.cpp with the model open, or None and why."""
        if self.plan.llama is None:
            return None, NOT_INSTALLED
        try:
            gguf = source_file(self.plan.gguf, self.plan.settings, self.plan.tell)
            side = stack.enter_context(LlamaSide(self.plan.llama, gguf, threads=cores()))
        except BotkitError as error:
            return None, str(error)
        self.llama_version = side.version
        return side, ""

    def _quality(self) -> list[Row]:
        from botkit_models.bench.quality import quality_rows
        from botkit_models.weights.convert import convert

        plan = self.plan
        found = find_dialogues(plan.shared)
        if found is None:
            raise SettingsError("the dialogues are not here; name their folder with BOTKIT_SHARED")
        dialogues = read_dialogues(found, QUICK_DIALOGUES if plan.quick else DIALOGUES)
        served = find_model(plan.settings.model, plan.settings.home)
        checkpoint = read_checkpoint(source_file(plan.gguf, plan.settings, plan.tell))
        with tempfile.TemporaryDirectory(prefix="botkit-bench-") as scratch:
            reference = Path(scratch, "float32")
            convert(checkpoint, reference, weights="float32")
            return quality_rows(served, reference, dialogues)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
