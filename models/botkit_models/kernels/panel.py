"""A small matrix product in float32: a few rows times a panel of 32 columns.

Each number of the result is one chain of fused multiply-adds in the panel's order, however many
rows are done together.
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8
from botkit_models.kernels.emit import F32, I64, PTR, VOID, Function

COLUMNS = 32
"""Columns of a panel; its rows lie one after another."""

_VECTORS = COLUMNS // LANES
_ROW_GROUP = 3
"""With four vectors of columns, as many rows as fit in the registers."""


def add_panel_product(module: ir.Module) -> Function:
    """``(left, i64 stride, i64 rows, panel, i64 length, out, i64 out stride)``.

    ``out [rows, 32] = left [rows, length] @ panel [length, 32]``; strides are in floats.
    """
    tiles = {rows: _tile(module, rows) for rows in range(1, _ROW_GROUP + 1)}
    f = Function(module, "botkit_panel_product", VOID, [PTR, I64, I64, PTR, I64, PTR, I64])
    left, stride, rows, panel, length, out, out_stride = f.parameters
    with f.loop(0, rows, _ROW_GROUP) as row:
        remaining = rows - row
        source, target = left.at(F32, row * stride), out.at(F32, row * out_stride)
        for size, tile in tiles.items():
            with f.when(remaining.equals(size) if size < _ROW_GROUP else remaining >= size):
                f.call(tile, source, stride, panel, length, target, out_stride)
    f.done()
    return f


def _tile(module: ir.Module, rows: int) -> Function:
    f = Function(module, f"botkit_panel{rows}", VOID, [PTR, I64, PTR, I64, PTR, I64])
    left, stride, panel, length, out, out_stride = f.parameters
    sums = [[f.variable(f.zero(F32x8)) for _ in range(_VECTORS)] for _ in range(rows)]
    lines = [left.at(F32, stride * row) for row in range(rows)]
    with f.loop(0, length) as k:
        factors = [line.load(F32, k).splat(LANES) for line in lines]
        for n in range(_VECTORS):
            column = panel.load(F32x8, k * COLUMNS + n * LANES)
            for row, factor in enumerate(factors):
                sums[row][n].set(f.fused(factor, column, sums[row][n].get()))
    for row in range(rows):
        for n in range(_VECTORS):
            out.store(sums[row][n].get(), out_stride * row + n * LANES)
    f.done()
    return f
