"""Plain moves of memory."""

from __future__ import annotations

from botkit_models.kernels.emit import I1, I8, VOID, Function, Value


def blank(f: Function, start: Value, count: Value) -> None:
    """Set ``count`` floats to nought."""
    blank_bytes(f, start, count * 4)


def blank_bytes(f: Function, start: Value, count: Value) -> None:
    """Set ``count`` bytes to nought."""
    f.intrinsic("llvm.memset.p0.i64", VOID, start, f.const(0, I8), count, f.const(0, I1))
