"""Work in chunks over the processor's cores, with a hand-over of about a microsecond.

One *team* per process: the thread that XLA calls a kernel on, and a worker per further core.
The caller publishes a task (a function, its argument, how many chunks), takes chunks itself and
waits only for chunks that a worker has begun: a worker that comes late, or not at all, stalls
nothing. No result depends on who did a chunk. A second caller at the same time finds the team
taken and does its task alone.

The heart is one word, the *ticket*: how often work was published (upper half) and how many chunks
are still to be taken (lower half). A chunk is taken by lowering the ticket in one atomic exchange,
so that nobody can take a chunk of a task that is over.

Workers wait for work by looking at the ticket some tens of microseconds, then sleep on a futex.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from botkit_models.kernels.emit import I8, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.record import Record

LINE = 128
"""Bytes between words that different threads write (two cache lines: they are fetched in pairs)."""

MAX_THREADS = 64

TASK_TYPE = ir.FunctionType(VOID, [PTR, I64, PTR])
"""A task's function: its argument, the number of the chunk, the thread's scratch memory."""

FUTEX = 202
FUTEX_WAIT_PRIVATE = 128
FUTEX_WAKE_PRIVATE = 129

FLUSH_DENORMALS = 0x9FC0
"""MXCSR: no traps, round to nearest, denormals are zero. The same on every thread, or the bits of
a result could depend on who computed it."""

TICKET, DONE, SEQUENCE, SLEEPERS, TAKEN, STOPPED, TASK, SPINS, SHARED, SCRATCH = (
    LINE * n for n in range(10)
)
STATE_SIZE = SCRATCH + MAX_THREADS * LINE
STATE = "botkit_team"

Task = Record({"function": PTR, "argument": PTR, "chunks": I64, "scratch": I64})
Buffer = Record({"memory": PTR, "size": I64})


@dataclass(frozen=True)
class Pool:
    """The functions that a kernel calls.

    Args:
        enter: ``() -> i1``: take the team; false if another call has it.
        leave: ``(i1 taken)``: give it back.
        run: ``(i1 taken, function, argument, i64 chunks, i64 scratch bytes)``: do all chunks.
        borrow: ``(i1 taken, i64 bytes) -> ptr``: memory for the length of one call.
        give_back: ``(i1 taken, ptr)``.
    """

    enter: Function
    leave: Function
    run: Function
    borrow: Function
    give_back: Function


def add_pool(module: ir.Module) -> Pool:
    """Write the team's state and functions into a module, and ``botkit_work`` for its workers."""
    state = ir.GlobalVariable(module, ir.ArrayType(I8, STATE_SIZE), STATE)
    state.initializer = ir.Constant(state.value_type, None)
    state.align = LINE
    take = _take(module)
    reserve = _reserve(module)
    take_part = _take_part(module, take, reserve)
    _work(module, take_part)
    _stop(module)
    return Pool(
        enter=_enter(module),
        leave=_leave(module),
        run=_run(module, take_part),
        borrow=_borrow(module, reserve),
        give_back=_give_back(module),
    )


def _word(f: Function, place: int) -> Value:
    return f.address(f.module.globals[STATE]).offset(place)


def _read(f: Function, place: int, kind: ir.Type = I32) -> Value:
    address = _word(f, place)
    size = 8 if kind == I64 else 4
    return Value(f, f.builder.load_atomic(address.raw, "seq_cst", size, typ=kind))


def _write(f: Function, place: int, value: Value) -> None:
    f.builder.atomic_rmw("xchg", _word(f, place).raw, value.raw, "seq_cst")


def _add(f: Function, place: int, amount: int) -> Value:
    raw = f.builder.atomic_rmw("add", _word(f, place).raw, I32(amount), "seq_cst")
    return Value(f, raw)


def _swap(f: Function, place: int, old: Value, new: Value) -> Value:
    pair = f.builder.cmpxchg(_word(f, place).raw, old.raw, new.raw, "seq_cst")
    return Value(f, f.builder.extract_value(pair, 1))


def _pause(f: Function) -> None:
    f.intrinsic("llvm.x86.sse2.pause", VOID)


def _futex(f: Function, operation: int, value: Value) -> None:
    f.intrinsic(
        "syscall",
        I64,
        f.const(FUTEX, I64),
        _word(f, SEQUENCE),
        f.const(operation, I64),
        value.cast("zext", I64),
        f.const(0, I64),
        f.const(0, I64),
        f.const(0, I64),
    )


def _take(module: ir.Module) -> Function:
    """``() -> i64``: the number of chunks that were left, of which one is now ours; 0 if none."""
    f = Function(module, "botkit_take", I64, [], inline=True)
    got = f.variable(f.const(0, I64))
    with f.repeat() as leave:
        ticket = _read(f, TICKET, I64)
        left = ticket & 0xFFFFFFFF
        with f.when(left.equals(0)):
            got.set(left)
            leave()
        with f.when(_swap(f, TICKET, ticket, ticket - 1)):
            got.set(left)
            leave()
    f.done(got.get())
    return f


def _reserve(module: ir.Module) -> Function:
    """``(buffer, bytes) -> ptr``: the buffer's memory, grown if it is too small."""
    f = Function(module, "botkit_reserve", PTR, [PTR, I64])
    buffer, size = f.parameters
    with f.when(Buffer.load(buffer, "size") < size):
        f.intrinsic("free", VOID, Buffer.load(buffer, "memory"))
        whole = (size + 8191) & -4096
        memory = f.intrinsic("aligned_alloc", PTR, f.const(4096, I64), whole)
        Buffer.store(buffer, "memory", memory)
        Buffer.store(buffer, "size", whole)
    f.done(Buffer.load(buffer, "memory"))
    return f


def _take_part(module: ir.Module, take: Function, reserve: Function) -> Function:
    """``(i64 member)``: do chunks of the published task until none is left to take."""
    f = Function(module, "botkit_take_part", VOID, [I64])
    (member,) = f.parameters
    with f.repeat() as leave:
        left = f.call(take)
        with f.when(left.equals(0)):
            leave()
        task = _word(f, TASK)
        buffer = _word(f, SCRATCH).offset(member * LINE)
        scratch = f.call(reserve, buffer, Task.load(task, "scratch"))
        chunk = Task.load(task, "chunks") - left
        _call_task(f, Task.load(task, "function"), Task.load(task, "argument"), chunk, scratch)
        _add(f, DONE, 1)
    f.done()
    return f


def _call_task(f: Function, function: Value, argument: Value, chunk: Value, scratch: Value) -> None:
    f.call_address(function, TASK_TYPE, argument, chunk, scratch)


def _work(module: ir.Module, take_part: Function) -> None:
    """``botkit_work(i64 member)``: a worker's life, until the team is stopped."""
    f = Function(module, "botkit_work", VOID, [I64], local=False)
    (member,) = f.parameters
    set_float_mode(f, f.const(FLUSH_DENORMALS, I32))
    with f.repeat() as leave:
        sequence = _read(f, SEQUENCE)
        with f.when(_read(f, STOPPED).differs(0)):
            leave()
        f.call(take_part, member)
        spins = f.variable(_read(f, SPINS))
        with f.repeat() as awake:
            with f.when(_read(f, SEQUENCE).differs(sequence)):
                awake()
            with f.when(spins.get() <= 0):
                _add(f, SLEEPERS, 1)
                _futex(f, FUTEX_WAIT_PRIVATE, sequence)
                _add(f, SLEEPERS, -1)
                awake()
            spins.set(spins.get() - 1)
            _pause(f)
    f.done()


def _stop(module: ir.Module) -> None:
    """``botkit_stop()``: send the workers home; callers go on alone."""
    f = Function(module, "botkit_stop", VOID, [], local=False)
    _write(f, STOPPED, f.const(1, I32))
    _add(f, SEQUENCE, 1)
    _futex(f, FUTEX_WAKE_PRIVATE, f.const(MAX_THREADS, I32))
    f.done()


def _enter(module: ir.Module) -> Function:
    f = Function(module, "botkit_enter", ir.IntType(1), [])
    f.done(_swap(f, TAKEN, f.const(0, I32), f.const(1, I32)))
    return f


def _leave(module: ir.Module) -> Function:
    f = Function(module, "botkit_leave", VOID, [ir.IntType(1)])
    (taken,) = f.parameters
    with f.when(taken):
        _write(f, TAKEN, f.const(0, I32))
    f.done()
    return f


def _run(module: ir.Module, take_part: Function) -> Function:
    f = Function(module, "botkit_run", VOID, [ir.IntType(1), PTR, PTR, I64, I64])
    taken, function, argument, chunks, scratch = f.parameters
    with f.either(taken) as (yes, no):
        with yes:
            _lead(f, take_part, function, argument, chunks, scratch)
        with no:
            memory = f.intrinsic("aligned_alloc", PTR, f.const(4096, I64), (scratch + 8191) & -4096)
            with f.loop(0, chunks) as chunk:
                _call_task(f, function, argument, chunk, memory)
            f.intrinsic("free", VOID, memory)
    f.done()
    return f


def _lead(
    f: Function,
    take_part: Function,
    function: Value,
    argument: Value,
    chunks: Value,
    scratch: Value,
) -> None:
    task = _word(f, TASK)
    for name, value in [
        ("function", function),
        ("argument", argument),
        ("chunks", chunks),
        ("scratch", scratch),
    ]:
        Task.store(task, name, value)
    _write(f, DONE, f.const(0, I32))
    published = ((_read(f, TICKET, I64) >> 32) + 1) << 32
    _write(f, TICKET, published | chunks)
    with f.when(chunks > 1):
        _add(f, SEQUENCE, 1)
        with f.when(_read(f, SLEEPERS) > 0):
            _futex(f, FUTEX_WAKE_PRIVATE, f.const(MAX_THREADS, I32))
    f.call(take_part, f.const(0, I64))
    _await_chunks(f, chunks)


def _await_chunks(f: Function, chunks: Value) -> None:
    """Wait for chunks that workers have begun; let them run if they were taken off the core."""
    patience = f.variable(f.const(2000, I32))
    with f.repeat() as leave:
        with f.when(_read(f, DONE).widen() >= chunks):
            leave()
        _pause(f)
        patience.set(patience.get() - 1)
        with f.when(patience.get() <= 0):
            f.intrinsic("sched_yield", I32)
            patience.set(f.const(100, I32))


def _borrow(module: ir.Module, reserve: Function) -> Function:
    f = Function(module, "botkit_borrow", PTR, [ir.IntType(1), I64])
    taken, size = f.parameters
    with f.when(taken):
        f.done(f.call(reserve, _word(f, SHARED), size))
    f.done(f.intrinsic("aligned_alloc", PTR, f.const(4096, I64), (size + 8191) & -4096))
    return f


def _give_back(module: ir.Module) -> Function:
    f = Function(module, "botkit_give_back", VOID, [ir.IntType(1), PTR])
    taken, memory = f.parameters
    with f.when(taken):
        f.done()
    f.intrinsic("free", VOID, memory)
    f.done()
    return f


def set_float_mode(f: Function, mode: Value) -> None:
    """Set this thread's MXCSR register."""
    word = f.space(4)
    word.store(mode)
    f.intrinsic("llvm.x86.sse.ldmxcsr", VOID, word)


def float_mode(f: Function) -> Value:
    """This thread's MXCSR register."""
    word = f.space(4)
    f.intrinsic("llvm.x86.sse.stmxcsr", VOID, word)
    return word.load(I32)
