"""Keys and values of a split, from float16 blocks to float32 panels."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8
from botkit_models.kernels.attend_job import BLOCK, SPLIT, Job
from botkit_models.kernels.cache_write import block_of
from botkit_models.kernels.emit import F16, F32, I16, I32, I64, PTR, VOID, Function, Value, vector
from botkit_models.kernels.panel import COLUMNS

_I16x8 = vector(I16, LANES)
_F16x8 = vector(F16, LANES)
_CACHE_LINE = 64


def add_fetch_keys(module: ir.Module, fetch: Function) -> Function:
    """``(job, slot, head, i64 first, i64 count)``: begin to bring keys into the cache."""
    f = Function(module, "botkit_fetch_keys", VOID, [PTR, I64, I64, I64, I64])
    job, slot, head, first, count = f.parameters
    keys, size = Job.load(job, "keys"), Job.load(job, "head_dim") * (2 * BLOCK)
    with f.loop(0, count, BLOCK) as key:
        f.call(fetch, _block(job, keys, slot, head, first + key), size)
    f.done()
    return f


def add_read_keys(module: ir.Module, fetch: Function) -> Function:
    """``(job, slot, head, i64 first, i64 stop, panel)``: up to 32 keys as a panel ``[D, 32]``.

    Meanwhile the values of the same positions begin to come.
    """
    f = Function(module, "botkit_read_keys", VOID, [PTR, I64, I64, I64, I64, PTR])
    job, slot, head, first, stop, panel = f.parameters
    D = Job.load(job, "head_dim")
    keys, values = Job.load(job, "keys"), Job.load(job, "values")
    for part in range(0, COLUMNS, BLOCK):
        position = first + part
        with f.when(position < stop):
            f.call(fetch, _block(job, values, slot, head, position), D * (2 * BLOCK))
            block = _block(job, keys, slot, head, position)
            for half in (0, LANES):
                source = block.at(F16, D * half)
                with f.loop(0, D, LANES) as d:
                    rows = [source.load(_I16x8, D * n + d) for n in range(LANES)]
                    for n, line in enumerate(_transpose(rows)):
                        wide = line.cast("bitcast", _F16x8).cast("fpext", F32x8)
                        panel.store(wide, (d + n) * COLUMNS + (part + half))
    f.done()
    return f


def add_read_values(module: ir.Module, fetch: Function) -> Function:
    """``(job, slot, head, i64 first, i64 count, i64 d, panel, i64 stop)``: a panel ``[count, 32]``.

    It has 32 of the ``D`` from ``d`` on, or what there is of them. Meanwhile as large a part of the
    next split's keys, up to position ``stop``, begins to come.
    """
    f = Function(module, "botkit_read_values", VOID, [PTR, I64, I64, I64, I64, I64, PTR, I64])
    job, slot, head, first, count, d, panel, stop = f.parameters
    D = Job.load(job, "head_dim")
    keys, values = Job.load(job, "keys"), Job.load(job, "values")
    columns = f.minimum(D - d, f.const(COLUMNS, I64))
    with f.loop(0, count, BLOCK) as key:
        later = first + key + SPLIT
        with f.when(later < stop):
            part = _block(job, keys, slot, head, later).at(F16, d * BLOCK)
            f.call(fetch, part, columns * (2 * BLOCK))
        block = _block(job, values, slot, head, first + key)
        with f.loop(0, BLOCK) as n:
            source = block.at(F16, n * D + d)
            target = panel.at(F32, (key + n) * COLUMNS)
            for column in range(0, COLUMNS, LANES):
                with f.when(columns > column):
                    target.store(source.load(_F16x8, column).cast("fpext", F32x8), column)
    f.done()
    return f


def _block(job: Value, pool: Value, slot: Value, head: Value, position: Value) -> Value:
    """The address of a head's part of the block with this position."""
    number = block_of(job, slot, position / BLOCK)
    size = Job.load(job, "head_dim") * BLOCK
    return pool.at(F16, (number * Job.load(job, "kv_heads") + head) * size)


def add_fetch(module: ir.Module) -> Function:
    """``(address, i64 bytes)``: begin to bring memory into the cache."""
    f = Function(module, "botkit_fetch", VOID, [PTR, I64])
    address, size = f.parameters
    read, near, data = f.const(0, I32), f.const(3, I32), f.const(1, I32)
    with f.loop(0, size, _CACHE_LINE) as byte:
        f.intrinsic("llvm.prefetch.p0", VOID, address.offset(byte), read, near, data)
    f.done()
    return f


def _transpose(rows: list[Value]) -> list[Value]:
    """Eight vectors of eight lanes, rows for columns.

    To lace the first half of all 64 with the second turns the bits of their places by one; three
    times, and row and column have changed places.
    """
    low = [0, 8, 1, 9, 2, 10, 3, 11]
    high = [4, 12, 5, 13, 6, 14, 7, 15]
    for _ in range(3):
        laced = zip(rows[:4], rows[4:], strict=True)
        rows = [a.shuffle(b, lanes) for a, b in laced for lanes in (low, high)]
    return rows
