"""Whether this machine can run the kernels, and what their machine code depends on."""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import jax

NEEDED = ("avx2", "fma", "f16c")
"""Extensions of the processor that the kernels are written for."""


def available() -> bool:
    """Whether the kernels can run here: JAX computes on a Linux x86-64 CPU with AVX2."""
    return _able() and jax.default_backend() == "cpu"


@cache
def _able() -> bool:
    if sys.platform != "linux" or platform.machine() != "x86_64" or find_spec("llvmlite") is None:
        return False
    features = _features()
    return all(features.get(name, False) for name in NEEDED)


def _features() -> dict[str, bool]:
    import llvmlite.binding as llvm

    found: dict[str, bool] = llvm.get_host_cpu_features()
    return found


@cache
def identity() -> str:
    """A digest of what the machine code depends on: sources, libraries and processor."""
    import llvmlite
    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    about = (
        version("jaxlib"),
        llvmlite.__version__,
        llvm.llvm_version_info,
        llvm.get_host_cpu_name(),
    )
    digest.update(repr((*about, sorted(_features().items()))).encode())
    return digest.hexdigest()
