"""Work in chunks over the processor's cores, with a hand-over of less than a microsecond.

One *team* per process: the thread that XLA calls a kernel on, and a worker per further core.
The caller publishes a task (a function, its argument, how many chunks), takes chunks itself and
waits only for chunks that a worker has begun: a worker that comes late, or not at all, stalls
nothing. No result depends on who did a chunk. A second caller at the same time finds the team
taken and does its task alone.

The heart is one word, the *ticket*: how often work was published (upper half) and how many chunks
are still to be taken (lower half). A chunk is taken by lowering the ticket in one atomic exchange,
so that nobody can take a chunk of a task that is over. The task lies in the same cache line: who
gets the ticket has it too.

Workers look at the ticket for a while, then sleep on a futex. On a busy machine the scheduler may
wake a worker on the caller's own core, where it would stand in the way: it then steps aside.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from botkit_models.kernels.emit import I1, I8, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.record import Record

LINE = 128
"""Bytes between words that different threads write (two cache lines: they are fetched in pairs)."""

MAX_THREADS = 64

TASK_TYPE = ir.FunctionType(VOID, [PTR, I64, PTR])
"""A task's function: its argument, the number of the chunk, the thread's scratch memory."""

SPIN_CYCLES = 250_000
"""How long a worker looks for work before it sleeps, by the time stamp counter: about 0.1 ms."""

PATIENCE = 2000
"""How often a caller looks for the last chunks before it offers its core to others."""

FUTEX = 202
FUTEX_WAIT_PRIVATE = 128
FUTEX_WAKE_PRIVATE = 129

SET_AFFINITY = 203
CORES_SIZE = 128
"""Bytes of the set of cores that workers may run on, a bit each."""

FLUSH_DENORMALS = 0x9FC0
"""MXCSR: no traps, round to nearest, denormals are zero. The same on every thread, or the bits of
a result could depend on who computed it."""

TICKET, DONE, SEQUENCE, TAKEN, SHARED, CORES, SCRATCH = (LINE * n for n in range(7))
TASK = TICKET + 8
SEEN = TAKEN + 8
WORKERS = SEQUENCE + 4
SLEEPERS = SEQUENCE + 8
STOPPED = SEQUENCE + 12
STATE_SIZE = SCRATCH + MAX_THREADS * LINE
STATE = "botkit_team"

Task = Record({"function": PTR, "argument": PTR, "chunks": I64, "scratch": I64, "core": I64})
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
        threads: ``() -> i64``: how many there are to share work, the caller included.
    """

    enter: Function
    leave: Function
    run: Function
    borrow: Function
    give_back: Function
    threads: Function


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
        run=_run(module, take_part, reserve),
        borrow=_borrow(module, reserve),
        give_back=_give_back(module),
        threads=_threads(module),
    )


def _word(f: Function, place: int) -> Value:
    return f.address(f.module.globals[STATE]).offset(place)


def _read(f: Function, place: int, kind: ir.Type = I32) -> Value:
    address = _word(f, place)
    size = 8 if kind == I64 else 4
    return Value(f, f.builder.load_atomic(address.raw, "seq_cst", size, typ=kind))


def _write(f: Function, place: int, value: Value) -> None:
    f.builder.atomic_rmw("xchg", _word(f, place).raw, value.raw, "seq_cst")


def _add(f: Function, place: int, amount: Value | int) -> Value:
    value = amount if isinstance(amount, Value) else f.const(amount, I32)
    return Value(f, f.builder.atomic_rmw("add", _word(f, place).raw, value.raw, "seq_cst"))


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
        _word(f, SEQUENCE).cast("ptrtoint", I64),
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
    f = Function(module, "botkit_grow", PTR, [PTR, I64])
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
    """``(i64 member) -> i64``: do chunks of the published task while there are; how many it did."""
    f = Function(module, "botkit_take_part", I64, [I64])
    (member,) = f.parameters
    count = f.variable(f.const(0, I64))
    with f.repeat() as leave:
        left = f.call(take)
        with f.when(left.equals(0)):
            leave()
        task = _word(f, TASK)
        buffer = _word(f, SCRATCH).offset(member * LINE)
        scratch = f.call(reserve, buffer, Task.load(task, "scratch"))
        chunk = Task.load(task, "chunks") - left
        _call_task(f, Task.load(task, "function"), Task.load(task, "argument"), chunk, scratch)
        count.set(count.get() + 1)
    f.done(count.get())
    return f


def _call_task(f: Function, function: Value, argument: Value, chunk: Value, scratch: Value) -> None:
    f.call_address(function, TASK_TYPE, argument, chunk, scratch)


def _work(module: ir.Module, take_part: Function) -> None:
    """``botkit_work(i64 member)``: a worker's life, until the team is stopped."""
    f = Function(module, "botkit_work", VOID, [I64], local=False)
    (member,) = f.parameters
    set_float_mode(f, f.const(FLUSH_DENORMALS, I32))
    _add(f, WORKERS, 1)
    idle_since = f.variable(_cycles(f))
    with f.repeat() as leave:
        with f.when(_read(f, STOPPED).differs(0)):
            leave()
        sequence = _read(f, SEQUENCE)
        core = _core(f)
        with f.when(core.equals(Task.load(_word(f, TASK), "core"))):
            _step_aside(f, core)
        with f.either(_has_work(f)) as (work, idle):
            with work:
                count = f.call(take_part, member)
                with f.when(count > 0):
                    # Only now: until the caller has seen this, it publishes nothing else.
                    _add(f, DONE, count.cast("trunc", I32))
                    idle_since.set(_cycles(f))
            with idle:
                _pause(f)
                with f.when(_cycles(f) - idle_since.get() > SPIN_CYCLES):
                    _add(f, SLEEPERS, 1)
                    # Whoever publishes after this look sees a sleeper.
                    with f.when(_has_work(f).equals(0) & _read(f, STOPPED).equals(0)):
                        _futex(f, FUTEX_WAIT_PRIVATE, sequence)
                    _add(f, SLEEPERS, -1)
                    idle_since.set(_cycles(f))
    _add(f, WORKERS, -1)
    f.done()


def _core(f: Function) -> Value:
    """The core that this thread is on."""
    return f.intrinsic("sched_getcpu", I32).widen()


def _step_aside(f: Function, core: Value) -> None:
    """Let this thread run on any allowed core but this one."""
    cores = f.space(CORES_SIZE)
    with f.loop(0, CORES_SIZE // 8) as n:
        cores.store(_word(f, CORES).load(I64, n), n)
    place = core >> 6
    bit = f.const(1, I64) << (core & 63)
    cores.store(cores.load(I64, place) & (bit * -1 - 1), place)
    zero = f.const(0, I64)
    f.intrinsic(
        "syscall",
        I64,
        f.const(SET_AFFINITY, I64),
        zero,
        f.const(CORES_SIZE, I64),
        cores.cast("ptrtoint", I64),
        *[zero] * 3,
    )


def _has_work(f: Function) -> Value:
    return (_read(f, TICKET, I64) & 0xFFFFFFFF).differs(0)


def _cycles(f: Function) -> Value:
    return f.intrinsic("llvm.readcyclecounter", I64)


def _stop(module: ir.Module) -> None:
    """``botkit_stop()``: send the workers home; callers go on alone."""
    f = Function(module, "botkit_stop", VOID, [], local=False)
    _write(f, STOPPED, f.const(1, I32))
    _add(f, SEQUENCE, 1)
    _futex(f, FUTEX_WAKE_PRIVATE, f.const(MAX_THREADS, I32))
    f.done()


def _enter(module: ir.Module) -> Function:
    f = Function(module, "botkit_enter", I1, [])
    f.done(_swap(f, TAKEN, f.const(0, I32), f.const(1, I32)))
    return f


def _leave(module: ir.Module) -> Function:
    f = Function(module, "botkit_leave", VOID, [I1])
    (taken,) = f.parameters
    with f.when(taken):
        _write(f, TAKEN, f.const(0, I32))
    f.done()
    return f


def _run(module: ir.Module, take_part: Function, reserve: Function) -> Function:
    f = Function(module, "botkit_run", VOID, [I1, PTR, PTR, I64, I64])
    taken, function, argument, chunks, scratch = f.parameters
    with f.when(taken & (chunks > 1) & (_read(f, WORKERS) > 0)):
        _lead(f, take_part, function, argument, chunks, scratch)
        f.done()
    memory = f.variable(f.zero(PTR))
    with f.either(taken) as (yes, no):
        with yes:
            memory.set(f.call(reserve, _word(f, SCRATCH), scratch))
        with no:
            memory.set(_allocate(f, scratch))
    with f.loop(0, chunks) as chunk:
        _call_task(f, function, argument, chunk, memory.get())
    with f.when(taken.equals(0)):
        f.intrinsic("free", VOID, memory.get())
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
        ("core", _core(f)),
    ]:
        Task.store(task, name, value)
    published = ((_read(f, TICKET, I64) >> 32) + 1) << 32
    _write(f, TICKET, published | chunks)
    with f.when(_read(f, SLEEPERS) > 0):
        _add(f, SEQUENCE, 1)
        _futex(f, FUTEX_WAKE_PRIVATE, f.const(MAX_THREADS, I32))
    own = f.call(take_part, f.const(0, I64))
    seen = _word(f, SEEN)
    expected = seen.load(I32) + (chunks - own).cast("trunc", I32)
    _await_chunks(f, expected)
    seen.store(expected)


def _await_chunks(f: Function, expected: Value) -> None:
    """Wait for chunks that workers have begun; let them run if they were taken off the core."""
    patience = f.variable(f.const(PATIENCE, I32))
    with f.repeat() as leave:
        with f.when(_read(f, DONE).equals(expected)):
            leave()
        _pause(f)
        patience.set(patience.get() - 1)
        with f.when(patience.get() <= 0):
            f.intrinsic("sched_yield", I32)
            patience.set(f.const(PATIENCE // 10, I32))


def _allocate(f: Function, size: Value) -> Value:
    return f.intrinsic("aligned_alloc", PTR, f.const(4096, I64), (size + 8191) & -4096)


def _borrow(module: ir.Module, reserve: Function) -> Function:
    f = Function(module, "botkit_borrow", PTR, [I1, I64])
    taken, size = f.parameters
    with f.when(taken):
        f.done(f.call(reserve, _word(f, SHARED), size))
    f.done(_allocate(f, size))
    return f


def _give_back(module: ir.Module) -> Function:
    f = Function(module, "botkit_give_back", VOID, [I1, PTR])
    taken, memory = f.parameters
    with f.when(taken):
        f.done()
    f.intrinsic("free", VOID, memory)
    f.done()
    return f


def _threads(module: ir.Module) -> Function:
    f = Function(module, "botkit_threads", I64, [], inline=True)
    f.done(_read(f, WORKERS).widen() + 1)
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
