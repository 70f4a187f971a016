"""What the threads of a team share in memory, and how they speak about it.

All words are read and written in one order that all threads agree on (sequentially consistent).
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.emit import I8, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.record import Record

LINE = 128
"""Bytes between words that different threads write (two cache lines: they are fetched in pairs)."""

MAX_THREADS = 64

CORES_SIZE = 128
"""Bytes of the set of cores that workers may run on, a bit each."""

TICKET, DONE, SEQUENCE, TAKEN, SHARED, CORES, SCRATCH = (LINE * n for n in range(7))
TASK = TICKET + 8
SEEN = TAKEN + 8
WORKERS = SEQUENCE + 4
SLEEPERS = SEQUENCE + 8
STOPPED = SEQUENCE + 12
STATE_SIZE = SCRATCH + MAX_THREADS * LINE
STATE = "botkit_team"
"""Symbol of the state. Places in it, in bytes:

``TICKET`` and ``TASK`` are what is to be done; ``DONE`` counts chunks that workers did, ``SEEN``
how many of them callers have waited for; ``SEQUENCE`` is what workers sleep on; ``TAKEN`` is 1
while a caller has the team; ``SHARED`` and, per thread, ``SCRATCH`` are memory that is kept.
"""

Task = Record({"function": PTR, "argument": PTR, "chunks": I64, "scratch": I64, "core": I64})
Buffer = Record({"memory": PTR, "size": I64})

TASK_TYPE = ir.FunctionType(VOID, [PTR, I64, PTR])
"""A task's function: its argument, the number of the chunk, the thread's scratch memory."""

_FUTEX = 202
_FUTEX_WAIT_PRIVATE = 128
_FUTEX_WAKE_PRIVATE = 129
_PAGE = 4096


def add_state(module: ir.Module) -> None:
    """Reserve the state in a module."""
    state = ir.GlobalVariable(module, ir.ArrayType(I8, STATE_SIZE), STATE)
    state.initializer = ir.Constant(state.value_type, None)
    state.align = LINE


def word(f: Function, place: int) -> Value:
    """The address of a place in the state."""
    return f.address(f.module.globals[STATE]).offset(place)


def read(f: Function, place: int, kind: ir.Type = I32) -> Value:
    """The word at a place."""
    size = 8 if kind == I64 else 4
    return Value(f, f.builder.load_atomic(word(f, place).raw, "seq_cst", size, typ=kind))


def write(f: Function, place: int, value: Value) -> None:
    """Set the word at a place."""
    f.builder.atomic_rmw("xchg", word(f, place).raw, value.raw, "seq_cst")


def add(f: Function, place: int, amount: Value | int) -> Value:
    """Add to the 32-bit word at a place; what it was before."""
    value = amount if isinstance(amount, Value) else f.const(amount, I32)
    return Value(f, f.builder.atomic_rmw("add", word(f, place).raw, value.raw, "seq_cst"))


def swap(f: Function, place: int, old: Value, new: Value) -> Value:
    """Set the word at a place if it is ``old``; whether it was."""
    pair = f.builder.cmpxchg(word(f, place).raw, old.raw, new.raw, "seq_cst")
    return Value(f, f.builder.extract_value(pair, 1))


def chunks_left(ticket: Value) -> Value:
    """How many chunks a ticket still has."""
    return ticket & 0xFFFFFFFF


def pause(f: Function) -> None:
    """Tell the processor that this is a loop that waits."""
    f.intrinsic("llvm.x86.sse2.pause", VOID)


def core(f: Function) -> Value:
    """The core that this thread is on."""
    return f.intrinsic("sched_getcpu", I32).widen()


def sleep(f: Function, sequence: Value) -> None:
    """Sleep until :func:`wake`, unless there was one since ``sequence`` was read."""
    _futex(f, _FUTEX_WAIT_PRIVATE, sequence)


def wake(f: Function) -> None:
    """Wake all sleepers."""
    add(f, SEQUENCE, 1)
    _futex(f, _FUTEX_WAKE_PRIVATE, f.const(MAX_THREADS, I32))


def _futex(f: Function, operation: int, value: Value) -> None:
    address = word(f, SEQUENCE).cast("ptrtoint", I64)
    system_call(f, _FUTEX, address, operation, value.cast("zext", I64))


def system_call(f: Function, number: int, *arguments: Value | int) -> None:
    """Call the kernel."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    f.intrinsic("syscall", I64, f.const(number, I64), *[f.whole(value) for value in padded])


def allocate(f: Function, size: Value) -> Value:
    """Memory at a page's beginning, to be freed with ``free``."""
    whole = (size + (2 * _PAGE - 1)) & -_PAGE
    return f.intrinsic("aligned_alloc", PTR, f.const(_PAGE, I64), whole)


def add_grow(module: ir.Module) -> Function:
    """``(buffer, bytes) -> ptr``: the buffer's memory, made anew if it is too small."""
    f = Function(module, "botkit_grow", PTR, [PTR, I64])
    buffer, size = f.parameters
    with f.when(Buffer.load(buffer, "size") < size):
        f.intrinsic("free", VOID, Buffer.load(buffer, "memory"))
        Buffer.store(buffer, "memory", allocate(f, size))
        Buffer.store(buffer, "size", size)
    f.done(Buffer.load(buffer, "memory"))
    return f


def call_task(f: Function, function: Value, argument: Value, chunk: Value, scratch: Value) -> None:
    """Do one chunk."""
    f.call_address(function, TASK_TYPE, argument, chunk, scratch)
