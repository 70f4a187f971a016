"""CPU kernels: products with int8 weights, low-rank changes, attention over a paged cache.

Machine code is made at start from LLVM IR by ``llvmlite``, for the processor at hand; no compiler
is needed where botkit runs. XLA programs call it through :mod:`jax.ffi`. Where it cannot run
(:func:`available`), or does not fit a model (:func:`supports`), callers use plain XLA.

:func:`register` must have been called before a program that uses the kernels is loaded or run.
"""

from __future__ import annotations

from pathlib import Path

from botkit_models.config import DecoderConfig
from botkit_models.kernels.attend import attend, supports_attend
from botkit_models.kernels.host import available, identity
from botkit_models.kernels.linear import linear, supports_linear
from botkit_models.kernels.low_rank import low_rank
from botkit_models.kernels.reserve import reserve

__all__ = [
    "attend",
    "available",
    "identity",
    "linear",
    "low_rank",
    "register",
    "reserve",
    "supports",
    "supports_attend",
    "supports_linear",
]


def register(folder: Path | None = None) -> None:
    """Make the kernels known to XLA. Thread-safe; again is free.

    Args:
        folder: Where machine code is kept between processes, or None to compile each time.
    """
    # Imported late: without llvmlite, everything but this must still import.
    from botkit_models.kernels.registry import register_once

    register_once(folder)


def supports(config: DecoderConfig) -> bool:
    """Whether the kernels take a model of this shape."""
    return config.head_dim % 8 == 0
