"""Attention of a few query rows over one split of positions.

The order of every sum is fixed by positions alone:

* a score sums ``D`` products in 8 lanes, then neighbours with neighbours;
* the weights of a split are summed in 8 lanes (position modulo 8), then halves with halves;
* a split's mixed values are summed position after position.

A position that a row does not see has weight 0 and adds nothing, not even to the bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8, exp, fold_max, fold_sum, tanh
from botkit_models.kernels.attend_job import BLOCK, SPLIT, Job
from botkit_models.kernels.cache_write import block_of
from botkit_models.kernels.emit import F16, F32, I32, I64, PTR, VOID, Function, Value, vector

NOTHING = -1e30
"""The peak of a row that has seen no position."""

ROW_GROUP = 3
KEY_GROUP = 4
KEY_TILE = 32
WIDE = 4


@dataclass(frozen=True)
class SplitFunctions:
    """The steps of a split.

    Args:
        gather: ``(job, pool, i64 slot, i64 head, i64 first, i64 keys, out)``: whole blocks of a
            slot's keys or values as float32 ``[keys, D]``.
        scores: ``(q, i64 rows, keys, i64 count, i64 D, out)``: ``[rows, SPLIT]``.
        weigh: ``(job, scores, i64 rows, limits, i64 first, i64 count, peaks, totals)``: scores
            become weights, in place.
        mix: ``(weights, i64 rows, values, i64 count, i64 D, out)``: ``[rows, D]``.
    """

    gather: Function
    scores: Function
    weigh: Function
    mix: Function


def add_split(module: ir.Module) -> SplitFunctions:
    """Write the functions into a module."""
    return SplitFunctions(_gather(module), _scores(module), _weigh(module), _mix(module))


def _gather(module: ir.Module) -> Function:
    f = Function(module, "botkit_gather", VOID, [PTR, PTR, I64, I64, I64, I64, PTR])
    job, pool, slot, head, first, count, out = f.parameters
    D = Job.load(job, "head_dim")
    size = D * BLOCK
    with f.loop(0, count, BLOCK) as key:
        block = block_of(job, slot, (first + key) / BLOCK)
        source = pool.at(F16, (block * Job.load(job, "kv_heads") + head) * size)
        target = out.at(F32, key * D)
        with f.loop(0, size, LANES) as n:
            target.store(source.load(vector(F16, LANES), n).cast("fpext", F32x8), n)
    f.done()
    return f


def _scores(module: ir.Module) -> Function:
    tiles = {rows: _score_tile(module, rows) for rows in range(1, ROW_GROUP + 1)}
    f = Function(module, "botkit_scores", VOID, [PTR, I64, PTR, I64, I64, PTR])
    q, rows, keys, count, D, out = f.parameters
    with f.loop(0, count, KEY_TILE) as first, f.loop(0, rows, ROW_GROUP) as row:
        many = f.minimum(count - first, f.const(KEY_TILE, I64))
        for size, tile in tiles.items():
            left = rows - row
            with f.when(left.equals(size) if size < ROW_GROUP else left >= size):
                place = out.at(F32, row * SPLIT + first)
                f.call(tile, q.at(F32, row * D), keys.at(F32, first * D), many, D, place)
    f.done()
    return f


def _score_tile(module: ir.Module, rows: int) -> Function:
    """``(q, keys, i64 count, i64 D, out)``: a few rows against keys, four at a time."""
    f = Function(module, f"botkit_score{rows}", VOID, [PTR, PTR, I64, I64, PTR])
    q, keys, count, D, out = f.parameters
    with f.loop(0, count, KEY_GROUP) as first:
        sums = [[f.variable(f.zero(F32x8)) for _ in range(KEY_GROUP)] for _ in range(rows)]
        key_rows = [keys.at(F32, (first + n) * D) for n in range(KEY_GROUP)]
        with f.loop(0, D, LANES) as d:
            heads = [q.at(F32, D * n).load(F32x8, d) for n in range(rows)]
            for column, key_row in enumerate(key_rows):
                key = key_row.load(F32x8, d)
                for row, head in enumerate(heads):
                    total = sums[row][column]
                    total.set(f.fused(head, key, total.get()))
        for row in range(rows):
            out.store(_across(f, [total.get() for total in sums[row]]), first + row * SPLIT)
    f.done()
    return f


def _across(f: Function, sums: list[Value]) -> Value:
    """The sum of the lanes of each of four vectors: ``((0+1)+(2+3))+((4+5)+(6+7))``."""

    def add_pairs(a: Value, b: Value) -> Value:
        return f.intrinsic("llvm.x86.avx.hadd.ps.256", F32x8, a, b)

    quads = add_pairs(add_pairs(sums[0], sums[1]), add_pairs(sums[2], sums[3]))
    return quads.shuffle(quads, range(4)) + quads.shuffle(quads, range(4, 8))


def _weigh(module: ir.Module) -> Function:
    f = Function(module, "botkit_weigh", VOID, [PTR, PTR, I64, PTR, I64, I64, PTR, PTR])
    job, scores, rows, limits, first, count, peaks, totals = f.parameters
    softcap, window = Job.load(job, "softcap"), Job.load(job, "window")
    steps = f.lanes(I32, range(LANES))
    with f.loop(0, rows) as row:
        line = scores.at(F32, row * SPLIT)
        last = limits.load(I32, row)
        newest = last.splat(LANES)
        # Without a window everything from position 0 on is seen.
        start = last - window.cast("trunc", I32) + 1
        oldest = (window > 0).select(start, f.const(0, I32)).splat(LANES)
        peak = f.variable(f.const(NOTHING, F32x8))
        with f.loop(0, count, LANES) as key:
            score = f.variable(line.load(F32x8, key))
            with f.when(softcap > 0.0):
                cap = softcap.splat(LANES)
                score.set(cap * tanh(f, score.get() / cap))
            position = (first + key).cast("trunc", I32).splat(LANES) + steps
            seen = (position <= newest) & (position >= oldest)
            shown = seen.select(score.get(), f.const(float("-inf"), F32x8))
            line.store(shown, key)
            peak.set(f.maximum(shown, peak.get()))
        highest = fold_max(f, peak.get())
        total = f.variable(f.zero(F32x8))
        with f.loop(0, count, LANES) as key:
            weight = exp(f, line.load(F32x8, key) - highest.splat(LANES))
            line.store(weight, key)
            total.set(total.get() + weight)
        peaks.store(highest, row)
        totals.store(fold_sum(total.get()), row)
    f.done()
    return f


def _mix(module: ir.Module) -> Function:
    tiles = {
        (rows, vectors): _mix_tile(module, rows, vectors)
        for rows in range(1, ROW_GROUP + 1)
        for vectors in (1, WIDE)
    }
    f = Function(module, "botkit_mix", VOID, [PTR, I64, PTR, I64, I64, PTR])
    weights, rows, values, count, D, out = f.parameters
    wide = D / (WIDE * LANES) * (WIDE * LANES)
    for vectors, start, stop in ((WIDE, f.const(0, I64), wide), (1, wide, D)):
        with f.loop(start, stop, vectors * LANES) as d, f.loop(0, rows, ROW_GROUP) as row:
            left = rows - row
            for size in range(1, ROW_GROUP + 1):
                with f.when(left.equals(size) if size < ROW_GROUP else left >= size):
                    line = weights.at(F32, row * SPLIT)
                    place = out.at(F32, row * D + d)
                    f.call(tiles[size, vectors], line, values.at(F32, d), count, D, place)
    f.done()
    return f


def _mix_tile(module: ir.Module, rows: int, vectors: int) -> Function:
    """``(weights, values, i64 count, i64 D, out)``: a few rows, a few vectors of ``D``."""
    f = Function(module, f"botkit_mix{rows}x{vectors}", VOID, [PTR, PTR, I64, I64, PTR])
    weights, values, count, D, out = f.parameters
    sums = [[f.variable(f.zero(F32x8)) for _ in range(vectors)] for _ in range(rows)]
    with f.loop(0, count) as key:
        factors = [weights.load(F32, key + row * SPLIT).splat(LANES) for row in range(rows)]
        for n in range(vectors):
            value = values.load(F32x8, key * D + n * LANES)
            for row, factor in enumerate(factors):
                sums[row][n].set(f.fused(factor, value, sums[row][n].get()))
    for row in range(rows):
        for n in range(vectors):
            out.store(sums[row][n].get(), D * row + n * LANES)
    f.done()
    return f
