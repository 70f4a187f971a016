"""Exact integer products of a few activation rows (int16) with weight rows (int8).

One weight row at a time, against up to eight activation rows whose sums stay in registers: the
weights stream through in the order they lie in memory, which is what the memory likes best, and
each is widened once for all rows. The activation rows stay in the first-level cache.

Sums are int32 and exact: :func:`botkit_models.kernels.linear_kernel.top_of` keeps them from
overflowing.
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, I16x16, I32x8, fold_sum
from botkit_models.kernels.emit import I8, I16, I64, PTR, VOID, Function, Value, vector
from botkit_models.kernels.rows import STEP

GROUP = LANES
"""Most activation rows that one product takes."""

SIZES = (1, 2, 3, 4, 6, GROUP)
"""How many rows there is a product for; a rest of 5 or 7 rows is done as one more."""


def add_dots(module: ir.Module) -> dict[int, Function]:
    """``(x, i64 stride, weights, i64 in, sums, i64 outs)`` for each size in :data:`SIZES`.

    ``sums`` gets, for each weight row, eight int32 (one per activation row, those beyond the size
    are 0); for the size 1, one int32.
    """
    return {size: _dot(module, size) for size in SIZES}


def _dot(module: ir.Module, size: int) -> Function:
    f = Function(module, f"botkit_dot{size}", VOID, [PTR, I64, PTR, I64, PTR, I64])
    x, stride, weights, width, sums, outs = f.parameters
    rows = [x.at(I16, stride * row) for row in range(size)]
    blocks = width & -STEP
    with f.loop(0, outs) as out:
        weight = weights.at(I8, out * width)
        totals = [f.variable(f.zero(I32x8)) for _ in range(size)]
        with f.loop(0, blocks, STEP) as k:
            wide = weight.load(vector(I8, STEP), k).cast("sext", I16x16)
            for total, row in zip(totals, rows, strict=True):
                total.set(total.get() + _pairs(f, wide, row.load(I16x16, k)))
        with f.when(blocks < width):
            wide = _tail(f, weight.at(I8, blocks), width - blocks)
            for total, row in zip(totals, rows, strict=True):
                total.set(total.get() + _pairs(f, wide, row.load(I16x16, blocks)))
        found = [total.get() for total in totals]
        if size == 1:
            sums.store(fold_sum(found[0]), out)
        else:
            sums.store(_across(f, found), out * LANES)
    f.done()
    return f


def _pairs(f: Function, a: Value, b: Value) -> Value:
    """Products of 16 int16, neighbours added, as 8 int32."""
    return f.intrinsic("llvm.x86.avx2.pmadd.wd", I32x8, a, b)


def _tail(f: Function, weight: Value, count: Value) -> Value:
    """The last ``count`` < 16 weights of a row, noughts after them; no byte more is read."""
    room = f.space(STEP)
    room.store(f.zero(vector(I8, STEP)))
    with f.loop(0, count) as k:
        room.store(weight.load(I8, k), k)
    return room.load(vector(I8, STEP)).cast("sext", I16x16)


def _across(f: Function, totals: list[Value]) -> Value:
    """The sum of the lanes of each of up to eight vectors, in the lanes of one."""
    zero = f.zero(I32x8)
    padded = [*totals, *[zero] * (LANES - len(totals))]
    level = padded
    for _ in range(2):
        level = [
            zero if a is zero and b is zero else f.intrinsic("llvm.x86.avx2.phadd.d", I32x8, a, b)
            for a, b in zip(level[0::2], level[1::2], strict=True)
        ]
    first, second = level
    low = first.shuffle(second, [0, 1, 2, 3, 8, 9, 10, 11])
    return low + first.shuffle(second, [4, 5, 6, 7, 12, 13, 14, 15])
