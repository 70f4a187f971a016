"""The kernel of a projection: compact, quantise, multiply, scale.

Three steps. The rows that are not padding are quantised to int16 (:mod:`.rows`), then the outputs
are divided into chunks over the cores: each chunk multiplies its weight rows with all activation
rows (:mod:`.dot`), group by group, and turns the whole numbers into floats while they are still in
the cache.
"""

from __future__ import annotations

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
from botkit_models.kernels.dot import GROUP, SIZES, add_dots
from botkit_models.kernels.emit import F32, I8, I16, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.pool import Pool
from botkit_models.kernels.record import Record
from botkit_models.kernels.rows import STEP, add_compact, add_quantise

TARGET = "botkit_linear"
"""Name of the foreign function."""

ATTRIBUTES = ("eps", "gated", "norm", "residual")

MAX_CHUNK = 256
MAX_CHUNK_BYTES = 65536
COARSE, FINE, MANY_ROWS = 8, 16, 64
"""Chunks per thread; more where they take long, so that no thread waits long for the last."""
QUANTISE_CHUNK = 8
INT16_TOP = 32767
INT32_TOP = 2**31 - 1
INT8_MAGNITUDE = 128


def top_of(width: int) -> int:
    """The largest magnitude of a quantised activation: ``width`` products of it cannot overflow."""
    return min(INT16_TOP, INT32_TOP // (INT8_MAGNITUDE * width))


_Job = Record(
    {
        "x": PTR,
        "width": I64,
        "stride": I64,
        "top": F32,
        "norm": I32,
        "eps": F32,
        "rows": PTR,
        "count": I64,
        "whole": PTR,
        "units": PTR,
        "weight": PTR,
        "scale": PTR,
        "outs": I64,
        "chunk": I64,
        "gated": I32,
        "residual": PTR,
        "y": PTR,
    }
)

_SUMS, _MORE_SUMS, _SCALES, _MORE_SCALES = (MAX_CHUNK * LANES * 4 * n for n in range(4))
_SCRATCH = MAX_CHUNK * LANES * 4 * 4


def add_linear(module: ir.Module, pool: Pool) -> None:
    """Write the kernel into a module."""
    compact = add_compact(module)
    quantise = _add_quantise_task(module, add_quantise(module))
    product = _add_product_task(module)

    def body(f: Function, call: Call) -> None:
        _handle(f, call, pool, compact, quantise, product)

    add_handler(module, TARGET, ATTRIBUTES, body)


def _handle(
    f: Function, call: Call, pool: Pool, compact: Function, quantise: Function, product: Function
) -> None:
    x, weight, scale, positions, residual = (call.argument(n) for n in range(5))
    y = call.result(0)
    N, width, outs = x.dim(0), x.dim(1), y.dim(1)
    gated = call.attribute("gated", I32)
    taken = f.call(pool.enter)
    stride = (width + (STEP - 1)) & -STEP
    memory = f.call(pool.borrow, taken, (N + 1) * (stride * 2 + 8) + 256)
    units = memory
    rows = units.at(F32, (N + (LANES - 1)) & -LANES)
    whole = rows.at(I32, (N + (2 * LANES - 1)) & -LANES)
    count = f.call(compact, positions.data, N, rows)
    _blank(f, positions.data, N, outs, y.data)
    top = f.minimum(f.const(INT32_TOP, I64) / (width * INT8_MAGNITUDE), f.const(INT16_TOP, I64))
    chunk = _chunk(f, pool, count, width, outs)
    job = _Job.make(
        f,
        x=x.data,
        width=width,
        stride=stride,
        top=top.cast("sitofp", F32),
        norm=call.attribute("norm", I32),
        eps=call.attribute("eps", F32),
        rows=rows,
        count=count,
        whole=whole,
        units=units,
        weight=weight.data,
        scale=scale.data,
        outs=outs,
        chunk=chunk,
        gated=gated,
        residual=call.attribute("residual", I32).differs(0).select(residual.data, f.zero(PTR)),
        y=y.data,
    )
    with f.when(count > 0):
        parts = (count + (QUANTISE_CHUNK - 1)) / QUANTISE_CHUNK
        f.call(pool.run, taken, f.address(quantise.ir), job, parts, f.const(64, I64))
        parts = (outs + chunk - 1) / chunk
        f.call(pool.run, taken, f.address(product.ir), job, parts, f.const(_SCRATCH, I64))
    f.call(pool.give_back, taken, memory)
    f.call(pool.leave, taken)


def _chunk(f: Function, pool: Pool, count: Value, width: Value, outs: Value) -> Value:
    """How many outputs a chunk of work has, a multiple of 8."""
    pieces = (count >= MANY_ROWS).select(f.const(FINE, I64), f.const(COARSE, I64))
    fair = outs / (pieces * f.call(pool.threads))
    most = f.minimum(f.const(MAX_CHUNK_BYTES, I64) / width, f.const(MAX_CHUNK, I64))
    return (f.maximum(f.minimum(fair, most), f.const(1, I64)) + (LANES - 1)) & -LANES


def _blank(f: Function, positions: Value, N: Value, outs: Value, y: Value) -> None:
    """Noughts in the rows that are padding."""
    with f.loop(0, N) as row, f.when(positions.load(I32, row) < 0):
        start = y.at(F32, row * outs)
        f.intrinsic(
            "llvm.memset.p0.i64", VOID, start, f.const(0, I8), outs * 4, f.const(0, ir.IntType(1))
        )


def _add_quantise_task(module: ir.Module, quantise: Function) -> Function:
    f = Function(module, "botkit_quantise_rows", VOID, [PTR, I64, PTR])
    job, chunk, _ = f.parameters
    first = chunk * QUANTISE_CHUNK
    last = f.minimum(first + QUANTISE_CHUNK, _Job.load(job, "count"))
    width, stride = _Job.load(job, "width"), _Job.load(job, "stride")
    with f.loop(first, last) as n:
        row = _Job.load(job, "rows").load(I32, n).widen()
        unit = f.call(
            quantise,
            _Job.load(job, "x").at(F32, row * width),
            width,
            _Job.load(job, "whole").at(I16, n * stride),
            _Job.load(job, "top"),
            _Job.load(job, "norm").differs(0),
            _Job.load(job, "eps"),
        )
        _Job.load(job, "units").store(unit, n)
    f.done()
    return f


def _add_product_task(module: ir.Module) -> Function:
    dots = add_dots(module)
    finish_one, finish_group = _add_finish_one(module), _add_finish_group(module)
    f = Function(module, "botkit_product", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    outs, width = _Job.load(job, "outs"), _Job.load(job, "width")
    first = chunk * _Job.load(job, "chunk")
    many = f.minimum(outs - first, _Job.load(job, "chunk"))
    gated = _Job.load(job, "gated").differs(0)
    count = _Job.load(job, "count")
    weight = _Job.load(job, "weight").at(I8, first * width)
    more = weight.at(I8, outs * width)
    scale = _Job.load(job, "scale").at(F32, first)
    _copy(f, scale, scratch.offset(_SCALES), many)
    with f.when(gated):
        _copy(f, scale.at(F32, outs), scratch.offset(_MORE_SCALES), many)
    stride = _Job.load(job, "stride")
    with f.loop(0, count, GROUP) as start:
        left = f.minimum(count - start, f.const(GROUP, I64))
        x = _Job.load(job, "whole").at(I16, start * stride)
        for low, size in zip((0, *SIZES), SIZES, strict=False):
            # A rest of 5 or 7 rows reads one row more: memory for it is there, results are not
            # used.
            with f.when((left > low) & (left <= size)):
                f.call(dots[size], x, stride, weight, width, scratch.offset(_SUMS), many)
                with f.when(gated):
                    f.call(dots[size], x, stride, more, width, scratch.offset(_MORE_SUMS), many)
        with f.either(left.equals(1)) as (one, several):
            with one:
                f.call(finish_one, job, start, first, many, scratch)
            with several:
                f.call(finish_group, job, start, left, first, many, scratch)
    f.done()
    return f


def _copy(f: Function, source: Value, target: Value, count: Value) -> None:
    """Copy floats, padded with noughts to a multiple of 8."""
    with f.loop(0, count, LANES) as n:
        target.store(load_part(f, source.at(F32, n), count - n), n)


def _value(f: Function, sums: Value, unit: Value, scale: Value) -> Value:
    """Whole numbers as floats. One order for all: ``sum * (unit * scale)``."""
    return sums.cast("sitofp", F32x8) * (unit * scale)


def _add_finish_one(module: ir.Module) -> Function:
    """``(job, row, first out, outs, scratch)``: outputs of a single row, 8 at a time."""
    f = Function(module, "botkit_finish_one", VOID, [PTR, I64, I64, I64, PTR])
    job, n, first, many, scratch = f.parameters
    unit = _Job.load(job, "units").load(F32, n).splat(LANES)
    row = _Job.load(job, "rows").load(I32, n).widen()
    place = row * _Job.load(job, "outs") + first
    gated = _Job.load(job, "gated").differs(0)
    with f.loop(0, many, LANES) as out:

        def at(sums: int, scales: int, out: Value = out) -> Value:
            whole = scratch.offset(sums).load(I32x8, out)
            return _value(f, whole, unit, scratch.offset(scales).load(F32x8, out))

        value = f.variable(at(_SUMS, _SCALES))
        with f.when(gated):
            value.set(sigmoid_weighted(f, value.get()) * at(_MORE_SUMS, _MORE_SCALES))
        _write(f, job, place + out, value.get(), many - out)
    f.done()
    return f


def _add_finish_group(module: ir.Module) -> Function:
    """``(job, first row, rows, first out, outs, scratch)``: outputs of a group, 8 at a time."""
    f = Function(module, "botkit_finish_group", VOID, [PTR, I64, I64, I64, I64, PTR])
    job, n, rows, first, many, scratch = f.parameters
    outs = _Job.load(job, "outs")
    unit = _Job.load(job, "units").load(F32x8, n)
    gated = _Job.load(job, "gated").differs(0)
    tile = f.space(4 * LANES * LANES)
    with f.loop(0, many, LANES) as out:
        with f.loop(0, LANES) as column:

            def at(sums: int, scales: int, place: Value = out + column) -> Value:
                whole = scratch.offset(sums).load(I32x8, place * LANES)
                scale = scratch.offset(scales).load(F32, place).splat(LANES)
                return _value(f, whole, unit, scale)

            value = f.variable(at(_SUMS, _SCALES))
            with f.when(gated):
                value.set(sigmoid_weighted(f, value.get()) * at(_MORE_SUMS, _MORE_SCALES))
            tile.store(value.get(), column * LANES)
        for n_row, line in enumerate(transpose([tile.load(F32x8, i * LANES) for i in range(8)])):
            tile.store(line, n_row * LANES)
        with f.loop(0, rows) as at_row:
            row = _Job.load(job, "rows").load(I32, n + at_row).widen()
            _write(f, job, row * outs + first + out, tile.load(F32x8, at_row * LANES), many - out)
    f.done()
    return f


def _write(f: Function, job: Value, place: Value, value: Value, count: Value) -> None:
    """Store up to 8 outputs, the residual added if there is one."""
    residual = _Job.load(job, "residual")
    final = f.variable(value)
    with f.when(residual.cast("ptrtoint", I64).differs(0)):
        final.set(value + load_part(f, residual.at(F32, place), count))
    store_part(f, _Job.load(job, "y").at(F32, place), final.get(), count)
