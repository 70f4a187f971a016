"""The parts of the benchmark, in the order they are measured; light, for the command's help."""

from __future__ import annotations

from typing import Literal

Part = Literal["import", "server", "engine", "quality"]
PARTS: tuple[Part, ...] = ("import", "server", "engine", "quality")
