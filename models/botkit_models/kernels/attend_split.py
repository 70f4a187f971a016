"""Attention of a few query rows over one split of positions.

The order of every sum is fixed by positions alone:

* a score is one chain of fused multiply-adds over ``D``;
* the weights of a split are summed in 8 lanes (position modulo 8), then halves with halves;
* a split's mixed values are one chain each, position after position.

A position that a row does not see has weight 0 and adds nothing, not even to the bits.
"""

from __future__ import annotations

import math

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8, exp2, fold_max, fold_sum, tanh
from botkit_models.kernels.attend_job import SPLIT, Job, Scratch, Tile
from botkit_models.kernels.cache_read import add_read_keys, add_read_values
from botkit_models.kernels.emit import F32, I32, I64, PTR, VOID, Function
from botkit_models.kernels.panel import COLUMNS, add_panel_product

LOG2_E = math.log2(math.e)
"""Scores are in units of the binary logarithm: weights are powers of two."""

NOTHING = -1e30
"""The peak of a row that has seen no position."""


def add_split(module: ir.Module, fetch: Function) -> Function:
    """``(job, tile, head, i64 split, i64 stop, scratch, mixed, peaks, totals)``: a tile and split.

    Gives for each query row the mixed values ``[rows, D]`` (not yet divided), the highest score and
    the sum of weights. ``stop`` ends the positions that will be wanted next.
    """
    read_keys, read_values = add_read_keys(module, fetch), add_read_values(module, fetch)
    product, weigh = add_panel_product(module), _add_weigh(module)
    f = Function(module, "botkit_split", VOID, [PTR, PTR, I64, I64, I64, *[PTR] * 4])
    job, tile, head, number, stop, scratch, mixed, peaks, totals = f.parameters
    own = Scratch(job, scratch)
    D, width = Job.load(job, "head_dim"), Job.load(job, "padded_dim")
    rows = Tile.load(tile, "count") * Job.load(job, "group")
    slot = Job.load(job, "slots").load(I32, Tile.load(tile, "first")).widen()
    first = number * SPLIT
    end = f.minimum(Tile.load(tile, "newest") + 1, first + SPLIT)
    count = (end - first + (LANES - 1)) & -LANES
    # Panel by panel, so that each is still in the first-level cache when it is used.
    with f.loop(0, count, COLUMNS) as key:
        f.call(read_keys, job, slot, head, first + key, end, own.panel)
        f.call(product, own.q, D, rows, own.panel, D, own.scores.at(F32, key), SPLIT)
    f.call(weigh, job, own.scores, rows, own.limits, first, count, peaks, totals)
    with f.loop(0, D, COLUMNS) as d:
        f.call(read_values, job, slot, head, first, count, d, own.panel, stop)
        f.call(product, own.scores, SPLIT, rows, own.panel, count, mixed.at(F32, d), width)
    f.done()
    return f


def _add_weigh(module: ir.Module) -> Function:
    """``(job, scores, i64 rows, limits, i64 first, i64 count, peaks, totals)``, in place.

    All peaks before all weights: a row's slow ends run beside the next row's beginning.
    """
    show = _show(module)
    f = Function(module, "botkit_weigh", VOID, [PTR, PTR, I64, PTR, I64, I64, PTR, PTR])
    job, scores, rows, limits, first, count, peaks, totals = f.parameters
    newest = first + count - 1
    window = Job.load(job, "window")
    with f.loop(0, rows) as row:
        line = scores.at(F32, row * SPLIT)
        limit = limits.load(I32, row).widen()
        # Without a window everything from position 0 on is seen.
        oldest = (window > 0).select(limit - window + 1, f.const(0, I64))
        partly = (newest > limit) | (first < oldest)
        with f.when(partly | (Job.load(job, "softcap") > 0.0)):
            f.call(show, job, line, first, count, oldest, limit)
        peak = f.variable(f.const(NOTHING, F32x8))
        with f.loop(0, count, LANES) as key:
            peak.set(f.maximum(line.load(F32x8, key), peak.get()))
        peaks.store(fold_max(f, peak.get()), row)
    with f.loop(0, rows) as row:
        line = scores.at(F32, row * SPLIT)
        highest = peaks.load(F32, row).splat(LANES)
        total = f.variable(f.zero(F32x8))
        with f.loop(0, count, LANES) as key:
            weight = exp2(f, line.load(F32x8, key) - highest)
            line.store(weight, key)
            total.set(total.get() + weight)
        totals.store(fold_sum(total.get()), row)
    f.done()
    return f


def _show(module: ir.Module) -> Function:
    """``(job, line, first, count, oldest, newest)``: soft cap and mask, in place."""
    f = Function(module, "botkit_show", VOID, [PTR, PTR, I64, I64, I64, I64])
    job, line, first, count, oldest, newest = f.parameters
    softcap = Job.load(job, "softcap")
    steps = f.lanes(I32, range(LANES))
    with f.loop(0, count, LANES) as key:
        score = f.variable(line.load(F32x8, key))
        with f.when(softcap > 0.0):
            cap = softcap.splat(LANES)
            score.set(cap * tanh(f, score.get() / cap) * LOG2_E)
        position = (first + key).cast("trunc", I32).splat(LANES) + steps
        after = position >= oldest.cast("trunc", I32).splat(LANES)
        seen = after & (position <= newest.cast("trunc", I32).splat(LANES))
        line.store(seen.select(score.get(), f.const(float("-inf"), F32x8)), key)
    f.done()
    return f
