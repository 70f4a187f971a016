"""Devices to compile for: ``v5e:2x4``, ``h100:8``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from botkit.errors import SettingsError

CompilerKind = Literal["tpu", "gpu"]


@dataclass(frozen=True)
class Chip:
    """One device.

    Fields:
        name: As people call it.
        memory: Bytes that programs may use.
        bandwidth: Of its memory, bytes per second.
        flops: bfloat16 operations per second.
        compiler: Which compiler knows it.
    """

    name: str
    memory: int
    bandwidth: float
    flops: float
    compiler: CompilerKind


# TPU v5e: cloud.google.com/tpu/docs/v5e; the compiler grants 15.75 of its 16 GiB.
V5E = Chip("TPU v5e", int(15.75 * 2**30), 819e9, 197e12, "tpu")
# NVIDIA H100 SXM data sheet; memory and bandwidth as the driver reports them.
H100 = Chip("NVIDIA H100 80GB", 84_978_434_048, 3.35e12, 989e12, "gpu")


@dataclass(frozen=True)
class Topology:
    """How many chips, and how they are wired.

    ``name`` is as given; ``shape`` the chips along each axis of the wiring.
    """

    name: str
    chip: Chip
    shape: tuple[int, ...]

    @property
    def devices(self) -> int:
        """How many chips."""
        return math.prod(self.shape)

    @classmethod
    def parse(cls, text: str) -> Topology:
        """``v5e:ROWSxCOLUMNS`` or ``h100:COUNT``.

        Raises:
            SettingsError: It is neither, or no machine is built so.
        """
        if match := re.fullmatch(r"v5e:(\d{1,2})x(\d{1,2})", text):
            shape = (int(match[1]), int(match[2]))
            if shape in {(1, 1), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16), (16, 16)}:
                return cls(text, V5E, shape)
        elif (match := re.fullmatch(r"h100:(\d{1,2})", text)) and 1 <= int(match[1]) <= 8:
            return cls(text, H100, (int(match[1]),))
        raise SettingsError(
            f"--topology is {text!r}; expected v5e:1x1, 2x2, 2x4, 4x4 ... 16x16, or h100:1 to 8"
        )
