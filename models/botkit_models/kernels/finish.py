"""Whole numbers become outputs: times their units, gated, with the residual."""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from botkit_models.kernels.arithmetic import (
    LANES,
    F32x8,
    I32x8,
    load_part,
    sigmoid_weighted,
    store_part,
    transpose,
)
from botkit_models.kernels.emit import F32, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.linear_job import MORE_SCALES, MORE_SUMS, SCALES, SUMS, Job


def add_finish_one(module: ir.Module) -> Function:
    """``(job, row, first out, outs, scratch)``: outputs of a single row, 8 at a time."""
    f = Function(module, "botkit_finish_one", VOID, [PTR, I64, I64, I64, PTR])
    job, n, first, many, scratch = f.parameters
    unit = Job.load(job, "units").load(F32, n).splat(LANES)
    row = Job.load(job, "rows").load(I32, n).widen()
    place = row * Job.load(job, "outs") + first
    with f.loop(0, many, LANES) as out:

        def product(sums: int, scales: int, out: Value = out) -> Value:
            scale = scratch.offset(scales).load(F32x8, out)
            return _value(scratch.offset(sums).load(I32x8, out), unit, scale)

        _write(f, job, place + out, _gated(f, job, product), many - out)
    f.done()
    return f


def add_finish_group(module: ir.Module) -> Function:
    """``(job, first row, rows, first out, outs, scratch)``: outputs of a group, 8 at a time."""
    f = Function(module, "botkit_finish_group", VOID, [PTR, I64, I64, I64, I64, PTR])
    job, n, rows, first, many, scratch = f.parameters
    unit = Job.load(job, "units").load(F32x8, n)
    tile = f.space(4 * LANES * LANES)
    with f.loop(0, many, LANES) as out:
        with f.loop(0, LANES) as column:

            def product(sums: int, scales: int, place: Value = out + column) -> Value:
                scale = scratch.offset(scales).load(F32, place).splat(LANES)
                return _value(scratch.offset(sums).load(I32x8, place * LANES), unit, scale)

            tile.store(_gated(f, job, product), column * LANES)
        columns = [tile.load(F32x8, n * LANES) for n in range(LANES)]
        for row_number, line in enumerate(transpose(columns)):
            tile.store(line, row_number * LANES)
        with f.loop(0, rows) as number:
            row = Job.load(job, "rows").load(I32, n + number).widen()
            place = row * Job.load(job, "outs") + first + out
            _write(f, job, place, tile.load(F32x8, number * LANES), many - out)
    f.done()
    return f


def _value(sums: Value, unit: Value, scale: Value) -> Value:
    """Whole numbers as floats, in one order wherever: ``sum * (unit * scale)``."""
    return sums.cast("sitofp", F32x8) * (unit * scale)


def _gated(f: Function, job: Value, product: Callable[[int, int], Value]) -> Value:
    """The product, or with a gate ``silu(gate) * up``."""
    value = f.variable(product(SUMS, SCALES))
    with f.when(Job.load(job, "gated").differs(0)):
        value.set(sigmoid_weighted(f, value.get()) * product(MORE_SUMS, MORE_SCALES))
    return value.get()


def _write(f: Function, job: Value, place: Value, value: Value, count: Value) -> None:
    """Store up to 8 outputs, the residual added if there is one."""
    residual = Job.load(job, "residual")
    final = f.variable(value)
    with f.when(residual.cast("ptrtoint", I64).differs(0)):
        final.set(value + load_part(f, residual.at(F32, place), count))
    store_part(f, Job.load(job, "y").at(F32, place), final.get(), count)
