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
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from botkit_models.kernels.emit import I1, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.team_state import (
    DONE,
    SCRATCH,
    SEEN,
    SHARED,
    SLEEPERS,
    TAKEN,
    TASK,
    TICKET,
    WORKERS,
    Task,
    add_grow,
    add_state,
    allocate,
    call_task,
    core,
    pause,
    read,
    swap,
    wake,
    word,
    write,
)
from botkit_models.kernels.worker import add_take_part, add_worker

PATIENCE = 2000
"""How often a caller looks for the last chunks before it offers its core to others."""


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
    """Write the team's state and functions, and those of its workers, into a module."""
    add_state(module)
    grow = add_grow(module)
    take_part = add_take_part(module, grow)
    add_worker(module, take_part)
    return Pool(
        enter=_add_enter(module),
        leave=_add_leave(module),
        run=_add_run(module, _add_lead(module, take_part), grow),
        borrow=_add_borrow(module, grow),
        give_back=_add_give_back(module),
        threads=_add_threads(module),
    )


def _add_enter(module: ir.Module) -> Function:
    f = Function(module, "botkit_enter", I1, [])
    f.done(swap(f, TAKEN, f.const(0, I32), f.const(1, I32)))
    return f


def _add_leave(module: ir.Module) -> Function:
    f = Function(module, "botkit_leave", VOID, [I1])
    (taken,) = f.parameters
    with f.when(taken):
        write(f, TAKEN, f.const(0, I32))
    f.done()
    return f


def _add_run(module: ir.Module, lead: Function, grow: Function) -> Function:
    f = Function(module, "botkit_run", VOID, [I1, PTR, PTR, I64, I64])
    taken, function, argument, chunks, scratch = f.parameters
    with f.when(taken & (chunks > 1) & (read(f, WORKERS) > 0)):
        f.call(lead, function, argument, chunks, scratch)
        f.done()
    memory = f.variable(f.zero(PTR))
    with f.either(taken) as (yes, no):
        with yes:
            memory.set(f.call(grow, word(f, SCRATCH), scratch))
        with no:
            memory.set(allocate(f, scratch))
    with f.loop(0, chunks) as chunk:
        call_task(f, function, argument, chunk, memory.get())
    with f.when(taken.equals(0)):
        f.intrinsic("free", VOID, memory.get())
    f.done()
    return f


def _add_lead(module: ir.Module, take_part: Function) -> Function:
    """``(function, argument, i64 chunks, i64 scratch bytes)``: do a task with the workers."""
    f = Function(module, "botkit_lead", VOID, [PTR, PTR, I64, I64])
    values = (*f.parameters, core(f))
    for name, value in zip(Task.fields, values, strict=True):
        Task.store(word(f, TASK), name, value)
    _, _, chunks, _ = f.parameters
    published = ((read(f, TICKET, I64) >> 32) + 1) << 32
    write(f, TICKET, published | chunks)
    with f.when(read(f, SLEEPERS) > 0):
        wake(f)
    own = f.call(take_part, f.const(0, I64))
    seen = word(f, SEEN)
    expected = seen.load(I32) + (chunks - own).cast("trunc", I32)
    _await_chunks(f, expected)
    seen.store(expected)
    f.done()
    return f


def _await_chunks(f: Function, expected: Value) -> None:
    """Wait for chunks that workers have begun; let them run if they were taken off the core."""
    patience = f.variable(f.const(PATIENCE, I32))
    with f.repeat() as leave:
        with f.when(read(f, DONE).equals(expected)):
            leave()
        pause(f)
        patience.set(patience.get() - 1)
        with f.when(patience.get() <= 0):
            f.intrinsic("sched_yield", I32)
            patience.set(f.const(PATIENCE // 10, I32))


def _add_borrow(module: ir.Module, grow: Function) -> Function:
    f = Function(module, "botkit_borrow", PTR, [I1, I64])
    taken, size = f.parameters
    with f.when(taken):
        f.done(f.call(grow, word(f, SHARED), size))
    f.done(allocate(f, size))
    return f


def _add_give_back(module: ir.Module) -> Function:
    f = Function(module, "botkit_give_back", VOID, [I1, PTR])
    taken, memory = f.parameters
    with f.when(taken):
        f.done()
    f.intrinsic("free", VOID, memory)
    f.done()
    return f


def _add_threads(module: ir.Module) -> Function:
    f = Function(module, "botkit_threads", I64, [], inline=True)
    f.done(read(f, WORKERS).widen() + 1)
    return f
