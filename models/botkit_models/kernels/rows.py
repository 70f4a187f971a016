"""Activations as whole numbers: 16 bits, one scale per row."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import (
    LANES,
    F32x8,
    I32x8,
    absolute,
    fold_max,
    fold_sum,
    load_part,
)
from botkit_models.kernels.emit import F32, I16, I32, I64, PTR, Function, Value, vector

STEP = 16
"""Products are made 16 at a time: rows of whole numbers are padded with noughts to a multiple."""

_ACCUMULATORS = 4


def add_compact(module: ir.Module) -> Function:
    """``(positions, i64 N, rows) -> i64``: number the rows that are not padding."""
    f = Function(module, "botkit_compact", I64, [PTR, I64, PTR])
    positions, count, rows = f.parameters
    found = f.variable(f.const(0, I64))
    with f.loop(0, count) as row, f.when(positions.load(I32, row) >= 0):
        rows.store(row.cast("trunc", I32), found.get())
        found.set(found.get() + 1)
    f.done(found.get())
    return f


def add_quantise(module: ir.Module) -> Function:
    """``(x, i64 in, whole, f32 top, i1 norm, f32 eps) -> f32``: one row.

    Writes ``round(x * top / max|x|)`` as int16, padded with noughts to a multiple of 16, and gives
    what one unit is worth. With ``norm`` that is times ``1 / sqrt(mean(x*x) + eps)``: RMS
    normalisation changes a row by a factor only, which the unit can carry.

    The order of the sum of squares: four accumulators of 8 lanes take 8 elements in turn, what is
    left of 32 goes to the first, a rest of less than 8 to the second; then halves to halves.
    """
    f = Function(module, "botkit_quantise", F32, [PTR, I64, PTR, F32, ir.IntType(1), F32])
    x, width, whole, top, norm, eps = f.parameters
    peak, square_sum = _survey(f, x, width)
    with_scale = (peak > 0.0).select(top / peak, f.const(0.0, F32)).splat(LANES)
    blocks = width & -STEP
    with f.loop(0, blocks, STEP) as k:
        halves = [x.load(F32x8, k + at) for at in (0, LANES)]
        whole.store(_rounded(f, halves, with_scale), k)
    with f.when(blocks < width):
        rest = width - blocks
        tail = load_part(f, x.at(F32, blocks), rest, STEP)
        halves = [tail.shuffle(tail, range(at, at + LANES)) for at in (0, LANES)]
        whole.store(_rounded(f, halves, with_scale), blocks)
    unit = f.variable(peak / top)
    with f.when(norm):
        mean = square_sum / width.cast("sitofp", F32)
        root = f.intrinsic("llvm.sqrt.f32", F32, mean + eps)
        unit.set(unit.get() * (f.const(1.0, F32) / root))
    f.done(unit.get())
    return f


def _survey(f: Function, x: Value, width: Value) -> tuple[Value, Value]:
    """The largest magnitude and the sum of squares of a row."""
    peak = f.variable(f.zero(F32x8))
    sums = [f.variable(f.zero(F32x8)) for _ in range(_ACCUMULATORS)]

    def take(v: Value, into: int) -> None:
        peak.set(f.maximum(absolute(f, v), peak.get()))
        sums[into].set(f.fused(v, v, sums[into].get()))

    long = width / (LANES * _ACCUMULATORS) * (LANES * _ACCUMULATORS)
    with f.loop(0, long, LANES * _ACCUMULATORS) as k:
        for n in range(_ACCUMULATORS):
            take(x.load(F32x8, k + n * LANES), n)
    whole = width & -LANES
    with f.loop(long, whole, LANES) as k:
        take(x.load(F32x8, k), 0)
    with f.when(whole < width):
        take(load_part(f, x.at(F32, whole), width - whole), 1)
    total = (sums[0].get() + sums[2].get()) + (sums[1].get() + sums[3].get())
    return fold_max(f, peak.get()), fold_sum(total)


def _rounded(f: Function, halves: list[Value], scale: Value) -> Value:
    """16 floats times ``scale``, rounded, as int16."""
    whole = [f.intrinsic("llvm.x86.avx.cvt.ps2dq.256", I32x8, half * scale) for half in halves]
    both = whole[0].shuffle(whole[1], range(2 * LANES))
    return both.cast("trunc", vector(I16, 2 * LANES))
