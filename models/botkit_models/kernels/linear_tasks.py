"""Chunks of a projection's work: rows to quantise, and outputs to compute."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, load_part
from botkit_models.kernels.dot import GROUP, SIZES, add_dots
from botkit_models.kernels.emit import F32, I8, I16, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.finish import add_finish_group, add_finish_one
from botkit_models.kernels.linear_job import MORE_SCALES, MORE_SUMS, SCALES, SUMS, Job
from botkit_models.kernels.rows import add_quantise

QUANTISE_CHUNK = 8
"""Rows that are quantised per chunk."""


def add_quantise_task(module: ir.Module) -> Function:
    """The task of a chunk of rows: they become whole numbers."""
    quantise = add_quantise(module)
    f = Function(module, "botkit_quantise_rows", VOID, [PTR, I64, PTR])
    job, chunk, _ = f.parameters
    first = chunk * QUANTISE_CHUNK
    last = f.minimum(first + QUANTISE_CHUNK, Job.load(job, "count"))
    width, stride = Job.load(job, "width"), Job.load(job, "stride")
    with f.loop(first, last) as n:
        row = Job.load(job, "rows").load(I32, n).widen()
        unit = f.call(
            quantise,
            Job.load(job, "x").at(F32, row * width),
            width,
            Job.load(job, "whole").at(I16, n * stride),
            Job.load(job, "top"),
            Job.load(job, "norm").differs(0),
            Job.load(job, "eps"),
        )
        Job.load(job, "units").store(unit, n)
    f.done()
    return f


def add_product_task(module: ir.Module) -> Function:
    """The task of a chunk of outputs, for all rows."""
    dots = add_dots(module)
    finish_one, finish_group = add_finish_one(module), add_finish_group(module)
    f = Function(module, "botkit_product", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    outs, width = Job.load(job, "outs"), Job.load(job, "width")
    first = chunk * Job.load(job, "chunk")
    many = f.minimum(outs - first, Job.load(job, "chunk"))
    gated = Job.load(job, "gated").differs(0)
    count = Job.load(job, "count")
    weight = Job.load(job, "weight").at(I8, first * width)
    more = weight.at(I8, outs * width)
    scale = Job.load(job, "scale").at(F32, first)
    _copy(f, scale, scratch.offset(SCALES), many)
    with f.when(gated):
        _copy(f, scale.at(F32, outs), scratch.offset(MORE_SCALES), many)
    stride = Job.load(job, "stride")
    with f.loop(0, count, GROUP) as start:
        left = f.minimum(count - start, f.const(GROUP, I64))
        x = Job.load(job, "whole").at(I16, start * stride)
        for low, size in zip((0, *SIZES), SIZES, strict=False):
            # A rest of 5 or 7 rows reads one row more: memory for it is there, results are not
            # used.
            with f.when((left > low) & (left <= size)):
                f.call(dots[size], x, stride, weight, width, scratch.offset(SUMS), many)
                with f.when(gated):
                    f.call(dots[size], x, stride, more, width, scratch.offset(MORE_SUMS), many)
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
