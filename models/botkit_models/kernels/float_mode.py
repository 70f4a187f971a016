"""How floating-point numbers behave on a thread: its MXCSR register."""

from __future__ import annotations

from botkit_models.kernels.emit import I32, VOID, Function, Value

FLUSH_DENORMALS = 0x9FC0
"""No traps, round to nearest, denormals are zero. The same on every thread, or the bits of a
result could depend on who computed it."""


def set_float_mode(f: Function, mode: Value) -> None:
    """Set this thread's register."""
    room = f.space(4)
    room.store(mode)
    f.intrinsic("llvm.x86.sse.ldmxcsr", VOID, room)


def float_mode(f: Function) -> Value:
    """This thread's register."""
    room = f.space(4)
    f.intrinsic("llvm.x86.sse.stmxcsr", VOID, room)
    return room.load(I32)
