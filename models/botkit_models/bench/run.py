"""The whole benchmark, part by part; a part that cannot be measured says why."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from botkit.errors import BotkitError, SettingsError
from botkit.settings import Settings
from botkit_models.bench.dialogues import find_dialogues, read_dialogues
from botkit_models.bench.imports import import_rows
from botkit_models.bench.llama import NOT_INSTALLED, LlamaSide
from botkit_models.bench.measure import cores
from botkit_models.bench.parts import PARTS, Part
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
        """Measure part by part."""
        self.load_before = os.getloadavg()[0]
        measure = {
            "import": self._import,
            "server": self._server,
            "engine": self._engine,
            "quality": self._quality,
        }
        rows: list[Row] = []
        for part in self.plan.parts:
            self.plan.tell(f"measuring: {part}")
            try:
                rows += measure[part]()
            except BotkitError as error:
                rows.append(Row(part, "", note=str(error)))
        return rows

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

    def _import(self) -> list[Row]:
        return import_rows(self.plan.repeats)

    def _server(self) -> list[Row]:
        find_model(self.plan.settings.model, self.plan.settings.home)
        return server_rows(self.plan.settings, self.plan.repeats)

    def _engine(self) -> list[Row]:
        from botkit_models.bench.engine_side import EngineSide
        from botkit_models.bench.speed import speed_rows

        settings = self.plan.settings
        folder = find_model(settings.model, settings.home)
        with ExitStack() as stack:
            llama, missing = self._open_llama(stack)
            engine = stack.enter_context(EngineSide(folder, settings))
            return speed_rows(engine, llama, self.plan.repeats, missing)

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
        # Imported late: JAX, which the parts before have no use for.
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
