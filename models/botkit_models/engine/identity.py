"""What compiled programs depend on: where any of it changes, they are compiled anew."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from botkit_models import gpt, kernels
from botkit_models.engine.plan import Plan


def identity(plan: Plan, eos_ids: Iterable[int], weights: Iterable[Any]) -> str:
    """Everything that the programs of a model depend on besides their shape, as text."""
    device = jax.devices()[0]
    # Machine code is for the processor it was compiled on; a folder may travel in an image.
    parts = (
        sources(),
        version("jaxlib"),
        jax.__version__,
        version("flax"),  # in whose order weights are
        device.platform,
        device.device_kind,
        processor(),
        os.environ.get("XLA_FLAGS", ""),
        kernels.identity() if plan.use_kernels else "",
    )
    shapes = [(str(weight.dtype), weight.shape) for weight in weights]
    return repr((*parts, plan, tuple(eos_ids), shapes))


@cache
def sources() -> str:
    """A digest of the code that programs are made from."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(gpt.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def processor() -> str:
    """What code this processor runs: its architecture and, on Linux, its extensions."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    flags = (line for line in lines if line.startswith(("flags", "Features")))
    return f"{platform.machine()} {next(flags, '')}"
