"""The kernel of a projection: compact, quantise, multiply, scale.

Three steps. The rows that are not padding are quantised to int16 (:mod:`.rows`), then the outputs
are divided into chunks over the cores: each chunk multiplies its weight rows with all activation
rows (:mod:`.dot`), group by group, and turns the whole numbers into floats while they are still in
the cache (:mod:`.finish`).
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES
from botkit_models.kernels.emit import F32, I32, I64, PTR, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.linear_job import MAX_CHUNK, SCRATCH_SIZE, Job
from botkit_models.kernels.linear_tasks import QUANTISE_CHUNK, add_product_task, add_quantise_task
from botkit_models.kernels.memory import blank
from botkit_models.kernels.pool import Pool
from botkit_models.kernels.rows import STEP, add_compact

TARGET = "botkit_linear"
"""Name of the foreign function."""

ATTRIBUTES = ("eps", "gated", "norm", "residual")

MAX_CHUNK_BYTES = 65536
COARSE, FINE, MANY_ROWS = 8, 16, 64
"""Chunks per thread; more where they take long, so that no thread waits long for the last."""

INT16_TOP = 32767
INT32_TOP = 2**31 - 1
INT8_MAGNITUDE = 128


def add_linear(module: ir.Module, pool: Pool) -> None:
    """Write the kernel into a module."""
    compact = add_compact(module)
    quantise, product = add_quantise_task(module), add_product_task(module)

    def body(f: Function, call: Call) -> None:
        x, y, positions = call.argument(0), call.result(0), call.argument(3)
        N, stride = x.dim(0), (x.dim(1) + (STEP - 1)) & -STEP
        taken = f.call(pool.enter)
        memory = f.call(pool.borrow, taken, (N + 1) * (stride * 2 + 8) + 256)
        rows = memory.at(F32, (N + (LANES - 1)) & -LANES)
        count = f.call(compact, positions.data, N, rows)
        chunk = _chunk(f, pool, count, x.dim(1), y.dim(1))
        job = _job(f, call, memory, rows, count, stride, chunk)
        _blank_padding(f, positions.data, N, y.dim(1), y.data)
        with f.when(count > 0):
            parts = (count + (QUANTISE_CHUNK - 1)) / QUANTISE_CHUNK
            f.call(pool.run, taken, f.address(quantise.ir), job, parts, f.const(0, I64))
            parts = (y.dim(1) + chunk - 1) / chunk
            f.call(pool.run, taken, f.address(product.ir), job, parts, f.const(SCRATCH_SIZE, I64))
        f.call(pool.give_back, taken, memory)
        f.call(pool.leave, taken)

    add_handler(module, TARGET, ATTRIBUTES, body)


def _job(
    f: Function, call: Call, units: Value, rows: Value, count: Value, stride: Value, chunk: Value
) -> Value:
    x, weight, scale, _, residual = (call.argument(n) for n in range(5))
    return Job.make(
        f,
        x=x.data,
        width=x.dim(1),
        norm=call.attribute("norm", I32),
        eps=call.attribute("eps", F32),
        top=_top(f, x.dim(1)).cast("sitofp", F32),
        rows=rows,
        count=count,
        whole=rows.at(I32, (x.dim(0) + (LANES - 1)) & -LANES),
        stride=stride,
        units=units,
        weight=weight.data,
        scale=scale.data,
        outs=call.result(0).dim(1),
        chunk=chunk,
        gated=call.attribute("gated", I32),
        residual=call.attribute("residual", I32).differs(0).select(residual.data, f.zero(PTR)),
        y=call.result(0).data,
    )


def _top(f: Function, width: Value) -> Value:
    """The largest magnitude of a quantised activation: ``width`` products of it cannot overflow."""
    fitting = f.const(INT32_TOP, I64) / (width * INT8_MAGNITUDE)
    return f.minimum(fitting, f.const(INT16_TOP, I64))


def _chunk(f: Function, pool: Pool, count: Value, width: Value, outs: Value) -> Value:
    """How many outputs a chunk of work has, a multiple of 8."""
    pieces = (count >= MANY_ROWS).select(f.const(FINE, I64), f.const(COARSE, I64))
    fair = outs / (pieces * f.call(pool.threads))
    most = f.minimum(f.const(MAX_CHUNK_BYTES, I64) / width, f.const(MAX_CHUNK, I64))
    return (f.maximum(f.minimum(fair, most), f.const(1, I64)) + (LANES - 1)) & -LANES


def _blank_padding(f: Function, positions: Value, N: Value, outs: Value, y: Value) -> None:
    with f.loop(0, N) as row, f.when(positions.load(I32, row) < 0):
        blank(f, y.at(F32, row * outs), outs)
