"""The parts of the benchmark, in the order they are measured; light, for the command's help."""

from __future__ import annotations

from typing import Literal

Part = Literal[
    "import", "server", "memory", "prefill", "decode", "quoting", "streams", "turns", "quality"
]
PARTS: tuple[Part, ...] = (
    "import",
    "server",
    "memory",
    "prefill",
    "decode",
    "quoting",
    "streams",
    "turns",
    "quality",
)
CONTEST_PARTS: tuple[Part, ...] = ("prefill", "decode", "quoting", "streams", "turns")
