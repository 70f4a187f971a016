"""Plain moves of memory."""

from __future__ import annotations

from botkit_models.kernels.emit import I1, I8, VOID, Function, Value


def blank(f: Function, start: Value, count: Value) -> None:
    """Set ``count`` floats to nought."""
    f.intrinsic("llvm.memset.p0.i64", VOID, start, f.const(0, I8), count * 4, f.const(0, I1))
