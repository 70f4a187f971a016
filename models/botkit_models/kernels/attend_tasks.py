"""Chunks of attention's work: a tile and head with all its splits, or with one of them."""

from __future__ import annotations

from dataclasses import dataclass

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8, exp2
from botkit_models.kernels.attend_job import SPLIT, Job, Partial, Scratch, Tile
from botkit_models.kernels.attend_split import NOTHING, add_split
from botkit_models.kernels.cache_read import add_fetch, add_fetch_keys
from botkit_models.kernels.emit import F32, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.memory import blank


@dataclass(frozen=True)
class AttendTasks:
    """Functions for :attr:`botkit_models.kernels.pool.Pool.run`; pairs are of tile and head.

    Args:
        whole: Of a pair's number: all its splits.
        part: Of ``pair * splits + split``: one split, whose result waits.
        join: Of a pair's number: what waits becomes the result.
    """

    whole: Function
    part: Function
    join: Function


def add_attend_tasks(module: ir.Module, rotate: Function) -> AttendTasks:
    """Write the tasks into a module."""
    fetch = add_fetch(module)
    begin = _add_begin(module, _add_load_rows(module, rotate), add_fetch_keys(module, fetch))
    split, merge, finish = add_split(module, fetch), _add_merge(module), _add_finish(module)
    return AttendTasks(
        whole=_add_whole(module, begin, split, merge, finish),
        part=_add_part(module, begin, split),
        join=_add_join(module, merge, finish),
    )


def _tile_of(job: Value, pair: Value) -> tuple[Value, Value]:
    """The tile (its address) and the key/value head of a pair's number."""
    K = Job.load(job, "kv_heads")
    return Job.load(job, "tiles").offset(pair / K * Tile.size), pair % K


def _rows_of(job: Value, tile: Value) -> Value:
    return Tile.load(tile, "count") * Job.load(job, "group")


def _splits_of(f: Function, job: Value, tile: Value) -> tuple[Value, Value]:
    """The first split that a tile sees, and the one after its last."""
    window = Job.load(job, "window")
    start = f.maximum(Tile.load(tile, "oldest") - window + 1, f.const(0, I64))
    start = (window > 0).select(start, f.const(0, I64))
    return start / SPLIT, Tile.load(tile, "newest") / SPLIT + 1


def _add_load_rows(module: ir.Module, rotate: Function) -> Function:
    """``(job, tile, i64 head, q, limits)``: a tile's queries, rotated and scaled, in rows."""
    f = Function(module, "botkit_load_rows", VOID, [PTR, PTR, I64, PTR, PTR])
    job, tile, head, q, limits = f.parameters
    H, D, group = (Job.load(job, name) for name in ("heads", "head_dim", "group"))
    with f.loop(0, Tile.load(tile, "count")) as n:
        token = Tile.load(tile, "first") + n
        position = Job.load(job, "positions").load(I32, token)
        with f.loop(0, group) as member:
            row = n * group + member
            source = Job.load(job, "q").at(F32, (token * H + head * group + member) * D)
            f.call(rotate, job, source, token, Job.load(job, "scale"), q.at(F32, row * D))
            limits.store(position, row)
    f.done()
    return f


def _add_begin(module: ir.Module, load_rows: Function, fetch_keys: Function) -> Function:
    """``(job, tile, head, i64 split, scratch)``: queries in rows, while the first keys come."""
    f = Function(module, "botkit_begin", VOID, [PTR, PTR, I64, I64, PTR])
    job, tile, head, number, scratch = f.parameters
    own = Scratch(job, scratch)
    slot = Job.load(job, "slots").load(I32, Tile.load(tile, "first")).widen()
    first = number * SPLIT
    count = f.minimum(Tile.load(tile, "newest") + 1 - first, f.const(SPLIT, I64))
    f.call(fetch_keys, job, slot, head, first, count)
    f.call(load_rows, job, tile, head, own.q, own.limits)
    f.done()
    return f


def _add_merge(module: ir.Module) -> Function:
    """``(rows, D, mixed, peaks, totals, new mixed, new peaks, new totals)``: fold a split in."""
    f = Function(module, "botkit_merge", VOID, [I64, I64, *[PTR] * 6])
    rows, D, mixed, peaks, totals, new_mixed, new_peaks, new_totals = f.parameters
    with f.loop(0, rows) as row:
        old, new = peaks.load(F32, row), new_peaks.load(F32, row)
        peak = f.maximum(old, new)
        # One vector exp for both.
        keep = exp2(f, (old - peak).splat(LANES))
        take = exp2(f, (new - peak).splat(LANES))
        total = totals.load(F32, row) * keep.lane(0) + new_totals.load(F32, row) * take.lane(0)
        peaks.store(peak, row)
        totals.store(total, row)
        with f.loop(row * D, row * D + D, LANES) as d:
            kept = mixed.load(F32x8, d) * keep
            mixed.store(f.fused(new_mixed.load(F32x8, d), take, kept), d)
    f.done()
    return f


def _add_finish(module: ir.Module) -> Function:
    """``(job, tile, i64 head, mixed, totals)``: divide by the total and write the result."""
    f = Function(module, "botkit_finish", VOID, [PTR, PTR, I64, PTR, PTR])
    job, tile, head, mixed, totals = f.parameters
    width = Job.load(job, "padded_dim")
    H, D, group = (Job.load(job, name) for name in ("heads", "head_dim", "group"))
    with f.loop(0, Tile.load(tile, "count")) as n:
        token = Tile.load(tile, "first") + n
        with f.loop(0, group) as member:
            row = n * group + member
            share = (f.const(1.0, F32) / totals.load(F32, row)).splat(LANES)
            out = Job.load(job, "mixed").at(F32, (token * H + head * group + member) * D)
            with f.loop(0, D, LANES) as d:
                # Plus 0: a nought's sign depends on how many noughts were added before.
                out.store(mixed.load(F32x8, row * width + d) * share + 0.0, d)
    f.done()
    return f


def _clear(f: Function, rows: Value, D: Value, mixed: Value, peaks: Value, totals: Value) -> None:
    """Nothing seen yet."""
    with f.loop(0, rows) as row:
        peaks.store(f.const(NOTHING, F32), row)
        totals.store(f.const(0.0, F32), row)
    blank(f, mixed, rows * D)


def _add_whole(
    module: ir.Module, begin: Function, split: Function, merge: Function, finish: Function
) -> Function:
    """The task of a tile and head: all its splits."""
    f = Function(module, "botkit_attend_whole", VOID, [PTR, I64, PTR])
    job, pair, scratch = f.parameters
    tile, head = _tile_of(job, pair)
    own, D, rows = Scratch(job, scratch), Job.load(job, "padded_dim"), _rows_of(job, tile)
    start, stop = _splits_of(f, job, tile)
    f.call(begin, job, tile, head, start, scratch)
    _clear(f, rows, D, own.mixed, own.peaks, own.totals)
    end = Tile.load(tile, "newest") + 1
    state = (own.mixed, own.peaks, own.totals)
    fresh = (own.new_mixed, own.new_peaks, own.new_totals)
    with f.loop(start, stop) as number:
        f.call(split, job, tile, head, number, end, scratch, *fresh)
        f.call(merge, rows, D, *state, *fresh)
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f


def _add_part(module: ir.Module, begin: Function, split: Function) -> Function:
    """The task of a tile, a head and one split."""
    f = Function(module, "botkit_attend_part", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    splits = Job.load(job, "splits")
    pair, number = chunk / splits, chunk % splits
    tile, head = _tile_of(job, pair)
    start, stop = _splits_of(f, job, tile)
    with f.when((number >= start) & (number < stop)):
        f.call(begin, job, tile, head, number, scratch)
        end = (number + 1) * SPLIT
        f.call(split, job, tile, head, number, end, scratch, *Partial.of(job, pair, number))
    f.done()
    return f


def _add_join(module: ir.Module, merge: Function, finish: Function) -> Function:
    """The task of a tile and head whose splits were done one by one."""
    f = Function(module, "botkit_attend_join", VOID, [PTR, I64, PTR])
    job, pair, scratch = f.parameters
    tile, head = _tile_of(job, pair)
    own, D, rows = Scratch(job, scratch), Job.load(job, "padded_dim"), _rows_of(job, tile)
    _clear(f, rows, D, own.mixed, own.peaks, own.totals)
    start, stop = _splits_of(f, job, tile)
    with f.loop(start, stop) as number:
        f.call(merge, rows, D, own.mixed, own.peaks, own.totals, *Partial.of(job, pair, number))
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f
