"""The kernel of low-rank changes: two thin products in float32, each row with its own factors.

Every row is summed in one order, whatever rows it comes with. Rows of one adapter that stand
together, as those of a prompt do, share the reading of the factors.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8, fold_sum, load_part, store_part
from botkit_models.kernels.emit import F32, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.memory import blank
from botkit_models.kernels.pool import Pool
from botkit_models.kernels.record import Record

TARGET = "botkit_low_rank"
"""Name of the foreign function."""

GROUP = 4
"""Rows that share the reading of factors."""

MANY_ROWS = 16
"""From so many rows on, a chunk of work is a group; below, every row is one, for all cores."""

_STEP = 2 * LANES

_Job = Record(
    {
        "x": PTR,
        "a": PTR,
        "b": PTR,
        "ids": PTR,
        "positions": PTR,
        "y": PTR,
        "rows": I64,
        "chunk": I64,
        "rank": I64,
        "width": I64,
        "outs": I64,
    }
)


def add_low_rank(module: ir.Module, pool: Pool) -> None:
    """Write the kernel into a module."""
    task = _add_task(module)

    def body(f: Function, call: Call) -> None:
        x, a, b, ids, positions = (call.argument(n) for n in range(5))
        rows = x.dim(0)
        chunk = (rows >= MANY_ROWS).select(f.const(GROUP, I64), f.const(1, I64))
        job = _Job.make(
            f,
            x=x.data,
            a=a.data,
            b=b.data,
            ids=ids.data,
            positions=positions.data,
            y=call.result(0).data,
            rows=rows,
            chunk=chunk,
            rank=a.dim(1),
            width=a.dim(2),
            outs=b.dim(2),
        )
        taken = f.call(pool.enter)
        parts = (rows + chunk - 1) / chunk
        f.call(pool.run, taken, f.address(task.ir), job, parts, a.dim(1) * (GROUP * 4))
        f.call(pool.leave, taken)

    add_handler(module, TARGET, (), body)


def _add_task(module: ir.Module) -> Function:
    """One chunk: a whole group where one adapter has it, else row by row."""
    one, group = _add_rows(module, 1), _add_rows(module, GROUP)
    f = Function(module, "botkit_low_rank_rows", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    first = chunk * _Job.load(job, "chunk")
    last = f.minimum(first + _Job.load(job, "chunk"), _Job.load(job, "rows"))
    with f.either(_is_group(f, job, first, last)) as (together, apart):
        with together:
            f.call(group, job, first, scratch)
        with apart, f.loop(first, last) as row:
            _do_row(f, one, job, row, scratch)
    f.done()
    return f


def _do_row(f: Function, one: Function, job: Value, row: Value, scratch: Value) -> None:
    padding = _Job.load(job, "positions").load(I32, row) < 0
    with f.either(padding) as (yes, no):
        with yes:
            _blank(f, job, row)
        with no:
            f.call(one, job, row, scratch)


def _is_group(f: Function, job: Value, first: Value, last: Value) -> Value:
    """Whether these rows are a full group of one adapter, none of them padding."""
    ids, positions = _Job.load(job, "ids"), _Job.load(job, "positions")
    alike = f.variable((last - first).equals(GROUP))
    with f.loop(first, last) as row:
        same = ids.load(I32, row).equals(ids.load(I32, first))
        alike.set(alike.get() & same & (positions.load(I32, row) >= 0))
    return alike.get()


def _blank(f: Function, job: Value, row: Value) -> None:
    outs = _Job.load(job, "outs")
    blank(f, _Job.load(job, "y").at(F32, row * outs), outs)


def _add_rows(module: ir.Module, size: int) -> Function:
    """``(job, i64 first row, scratch)``: ``size`` rows of one adapter."""
    f = Function(module, f"botkit_low_rank{size}", VOID, [PTR, I64, PTR])
    job, first, inner = f.parameters
    rank, width, outs = (_Job.load(job, name) for name in ("rank", "width", "outs"))
    id = _Job.load(job, "ids").load(I32, first).widen()
    a = _Job.load(job, "a").at(F32, id * rank * width)
    b = _Job.load(job, "b").at(F32, id * rank * outs)
    rows = [_Job.load(job, "x").at(F32, (first + n) * width) for n in range(size)]
    with f.loop(0, rank) as r:
        for n, total in enumerate(_dots(f, a.at(F32, r * width), rows, width)):
            inner.store(total, r * GROUP + n)
    targets = [_Job.load(job, "y").at(F32, (first + n) * outs) for n in range(size)]
    blocks = outs & -_STEP
    with f.loop(0, blocks, _STEP) as out:
        _mix(f, b, inner, rank, outs, out, targets)
    with f.loop(blocks, outs, LANES) as out:
        _mix_rest(f, b, inner, rank, outs, out, targets)
    f.done()
    return f


def _dots(f: Function, a: Value, rows: Sequence[Value], width: Value) -> list[Value]:
    """Products of ``a [in]`` with each row.

    The order: two accumulators of 8 lanes take 8 elements in turn, what is left of 16 goes to the
    first; then they are added, and halves to halves.
    """
    even = [f.variable(f.zero(F32x8)) for _ in rows]
    odd = [f.variable(f.zero(F32x8)) for _ in rows]
    blocks = width & -_STEP
    with f.loop(0, blocks, _STEP) as k:
        first, second = a.load(F32x8, k), a.load(F32x8, k + LANES)
        for row, low, high in zip(rows, even, odd, strict=True):
            low.set(f.fused(first, row.load(F32x8, k), low.get()))
            high.set(f.fused(second, row.load(F32x8, k + LANES), high.get()))
    with f.loop(blocks, width, LANES) as k:
        first = load_part(f, a.at(F32, k), width - k)
        for row, low in zip(rows, even, strict=True):
            low.set(f.fused(first, load_part(f, row.at(F32, k), width - k), low.get()))
    return [fold_sum(low.get() + high.get()) for low, high in zip(even, odd, strict=True)]


def _mix(
    f: Function,
    b: Value,
    inner: Value,
    rank: Value,
    outs: Value,
    out: Value,
    targets: Sequence[Value],
) -> None:
    """16 outputs of each row: the sum over ``r``, in order, of ``inner[r] * b[r, out]``."""
    totals = [(f.variable(f.zero(F32x8)), f.variable(f.zero(F32x8))) for _ in targets]
    with f.loop(0, rank) as r:
        place = r * outs + out
        first, second = b.load(F32x8, place), b.load(F32x8, place + LANES)
        for n, (low, high) in enumerate(totals):
            factor = inner.load(F32, r * GROUP + n).splat(LANES)
            low.set(f.fused(factor, first, low.get()))
            high.set(f.fused(factor, second, high.get()))
    for target, (low, high) in zip(targets, totals, strict=True):
        target.store(low.get(), out)
        target.store(high.get(), out + LANES)


def _mix_rest(
    f: Function,
    b: Value,
    inner: Value,
    rank: Value,
    outs: Value,
    out: Value,
    targets: Sequence[Value],
) -> None:
    """Up to 8 outputs of each row, in the same order."""
    totals = [f.variable(f.zero(F32x8)) for _ in targets]
    with f.loop(0, rank) as r:
        part = load_part(f, b.at(F32, r * outs + out), outs - out)
        for n, total in enumerate(totals):
            factor = inner.load(F32, r * GROUP + n).splat(LANES)
            total.set(f.fused(factor, part, total.get()))
    for target, total in zip(targets, totals, strict=True):
        store_part(f, target.at(F32, out), total.get(), outs - out)
