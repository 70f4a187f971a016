"""What a worker does all its life: look for chunks, do them, sleep when there are none.

On a busy machine the scheduler may wake a worker on the caller's own core, where it would stand in
the way of the one it should help: it then steps aside.
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.emit import I32, I64, VOID, Function, Value
from botkit_models.kernels.float_mode import FLUSH_DENORMALS, set_float_mode
from botkit_models.kernels.team_state import (
    CORES,
    CORES_SIZE,
    DONE,
    LINE,
    SCRATCH,
    SEQUENCE,
    SLEEPERS,
    STOPPED,
    TASK,
    TICKET,
    WORKERS,
    Task,
    add,
    call_task,
    chunks_left,
    core,
    pause,
    read,
    sleep,
    swap,
    system_call,
    wake,
    word,
    write,
)

WORK = "botkit_work"
"""Symbol of a worker's function: ``(i64 member)``, numbered from 1."""

HALT = "botkit_halt"
"""Symbol of the function that sends all workers home."""

SPIN_CYCLES = 250_000
"""How long a worker looks for work before it sleeps, by the time stamp counter: about 0.1 ms."""

_SET_AFFINITY = 203


def add_take_part(module: ir.Module, grow: Function) -> Function:
    """``(i64 member) -> i64``: do chunks of the published task while there are; how many it did."""
    take = _add_take(module)
    f = Function(module, "botkit_take_part", I64, [I64])
    (member,) = f.parameters
    count = f.variable(f.const(0, I64))
    with f.repeat() as leave:
        left = f.call(take)
        with f.when(left.equals(0)):
            leave()
        task = word(f, TASK)
        buffer = word(f, SCRATCH).offset(member * LINE)
        scratch = f.call(grow, buffer, Task.load(task, "scratch"))
        chunk = Task.load(task, "chunks") - left
        call_task(f, Task.load(task, "function"), Task.load(task, "argument"), chunk, scratch)
        count.set(count.get() + 1)
    f.done(count.get())
    return f


def _add_take(module: ir.Module) -> Function:
    """``() -> i64``: the number of chunks that were left, of which one is now ours; 0 if none."""
    f = Function(module, "botkit_take", I64, [], inline=True)
    got = f.variable(f.const(0, I64))
    with f.repeat() as leave:
        ticket = read(f, TICKET, I64)
        got.set(chunks_left(ticket))
        with f.when(got.get().equals(0)):
            leave()
        with f.when(swap(f, TICKET, ticket, ticket - 1)):
            leave()
    f.done(got.get())
    return f


def add_worker(module: ir.Module, take_part: Function) -> None:
    """Write :data:`WORK` and :data:`HALT` into a module."""
    _add_halt(module)
    step_aside = _add_step_aside(module)
    f = Function(module, WORK, VOID, [I64], local=False)
    (member,) = f.parameters
    set_float_mode(f, f.const(FLUSH_DENORMALS, I32))
    add(f, WORKERS, 1)
    idle_since = f.variable(_cycles(f))
    with f.repeat() as leave:
        with f.when(read(f, STOPPED).differs(0)):
            leave()
        sequence = read(f, SEQUENCE)
        with f.when(core(f).equals(Task.load(word(f, TASK), "core"))):
            f.call(step_aside)
        with f.either(_has_work(f)) as (work, idle):
            with work:
                count = f.call(take_part, member)
                with f.when(count > 0):
                    # Only now: until the caller has seen this, it publishes nothing else.
                    add(f, DONE, count.cast("trunc", I32))
                    idle_since.set(_cycles(f))
            with idle:
                pause(f)
                with f.when(_cycles(f) - idle_since.get() > SPIN_CYCLES):
                    add(f, SLEEPERS, 1)
                    # Whoever publishes after this look sees a sleeper.
                    with f.when(_has_work(f).equals(0) & read(f, STOPPED).equals(0)):
                        sleep(f, sequence)
                    add(f, SLEEPERS, -1)
                    idle_since.set(_cycles(f))
    add(f, WORKERS, -1)
    f.done()


def _has_work(f: Function) -> Value:
    return chunks_left(read(f, TICKET, I64)).differs(0)


def _cycles(f: Function) -> Value:
    return f.intrinsic("llvm.readcyclecounter", I64)


def _add_step_aside(module: ir.Module) -> Function:
    """``()``: let this thread run on any allowed core but the one it is on."""
    f = Function(module, "botkit_step_aside", VOID, [])
    cores = f.space(CORES_SIZE)
    with f.loop(0, CORES_SIZE // 8) as n:
        cores.store(word(f, CORES).load(I64, n), n)
    here = core(f)
    place = here >> 6
    others = f.const(-1, I64) - (f.const(1, I64) << (here & 63))
    cores.store(cores.load(I64, place) & others, place)
    system_call(f, _SET_AFFINITY, 0, CORES_SIZE, cores.cast("ptrtoint", I64))
    f.done()
    return f


def _add_halt(module: ir.Module) -> None:
    f = Function(module, HALT, VOID, [], local=False)
    write(f, STOPPED, f.const(1, I32))
    wake(f)
    f.done()
