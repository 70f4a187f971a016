"""The kernel of attention over a paged cache.

Tokens are grouped to tiles: neighbours of one slot, whose queries share the loading of keys. A
tile's heads of one key/value head are the rows of small matrix products, done split after split
of 128 positions (:mod:`.attend_split`), each with its own softmax; the splits' results are merged
in order (Milakov and Gimelshein 2018, arXiv:1805.02867).

Many tiles: a chunk of work is a tile and head with all its splits. Few tiles, as in decoding: it is
a single split, and the results are merged afterwards. The arithmetic is the same.
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8, exp
from botkit_models.kernels.attend_job import BLOCK, ROWS, SPLIT, Job, Tile
from botkit_models.kernels.attend_split import NOTHING, SplitFunctions, add_split
from botkit_models.kernels.cache_write import WRITE_CHUNK, add_rotate, add_write_task
from botkit_models.kernels.emit import F32, I8, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.pool import Pool

TARGET = "botkit_attend"
ATTRIBUTES = ("rotate", "scale", "softcap", "window")

MAX_TILE = 16
FEW = 16
"""Fewer tiles times heads than this are divided further, by splits."""


def add_attend(module: ir.Module, pool: Pool) -> None:
    """Write the kernel into a module."""
    rotate = add_rotate(module)
    write = add_write_task(module, rotate)
    tiles = _add_tiles(module)
    split = add_split(module)
    load_rows = _add_load_rows(module, rotate)
    one = _add_one_split(module, split)
    merge, finish = _add_merge(module), _add_finish(module)
    whole = _add_whole_task(module, load_rows, one, merge, finish)
    part = _add_part_task(module, load_rows, one)
    join = _add_join_task(module, merge, finish)

    def body(f: Function, call: Call) -> None:
        _handle(f, call, pool, write, tiles, whole, part, join)

    add_handler(module, TARGET, ATTRIBUTES, body)


def _handle(
    f: Function,
    call: Call,
    pool: Pool,
    write: Function,
    tiles: Function,
    whole: Function,
    part: Function,
    join: Function,
) -> None:
    q, k, v, positions, slots, tables, _, _, cos, sin = (call.argument(n) for n in range(10))
    mixed, keys, values = (call.result(n) for n in range(3))
    N, H, D, K = q.dim(0), q.dim(1), q.dim(2), k.dim(1)
    group = H / K
    tile_tokens = f.maximum(
        f.minimum(f.const(ROWS, I64) / group, f.const(MAX_TILE, I64)), f.const(1, I64)
    )
    rotated = call.attribute("rotate", I32).differs(0)
    nowhere = f.zero(PTR)
    taken = f.call(pool.enter)
    # Splits that one token could have, by the length of the tables.
    longest = (tables.dim(1) * BLOCK + (SPLIT - 1)) / SPLIT
    rows = tile_tokens * group
    partial = _partial_size(rows, D)
    room = N * Tile.size + partial * K * longest * FEW * 4 + 4096
    memory = f.call(pool.borrow, taken, room)
    job = Job.make(
        f,
        q=q.data,
        k=k.data,
        v=v.data,
        cos=rotated.select(cos.data, nowhere),
        sin=rotated.select(sin.data, nowhere),
        positions=positions.data,
        slots=slots.data,
        tables=tables.data,
        keys=keys.data,
        values=values.data,
        mixed=mixed.data,
        tokens=N,
        heads=H,
        kv_heads=K,
        group=group,
        head_dim=D,
        table_width=tables.dim(1),
        window=call.attribute("window", I32).widen(),
        scale=call.attribute("scale", F32),
        softcap=call.attribute("softcap", F32),
        tile_tokens=tile_tokens,
        tiles=memory,
        splits=f.const(0, I64),
        partials=memory.offset((N * Tile.size + 127) & -64),
    )
    found = f.call(tiles, job)
    scratch = (rows * (D * 3 + SPLIT + 8) + D * SPLIT) * 4 + 4096
    with f.when(found > 0):
        chunks = (N + (WRITE_CHUNK - 1)) / WRITE_CHUNK
        f.call(pool.run, taken, f.address(write.ir), job, chunks, scratch)
        pairs = found * K
        splits = Job.load(job, "splits")
        with f.either((pairs < FEW) & (splits > 1)) as (few, many):
            with few:
                f.call(pool.run, taken, f.address(part.ir), job, pairs * splits, scratch)
                f.call(pool.run, taken, f.address(join.ir), job, pairs, scratch)
            with many:
                f.call(pool.run, taken, f.address(whole.ir), job, pairs, scratch)
    f.call(pool.give_back, taken, memory)
    f.call(pool.leave, taken)


def _partial_size(rows: Value, D: Value) -> Value:
    """Floats of a split's result: the mixed rows, their peaks and totals."""
    return (rows * (D + 2) + 15) & -16


def _add_tiles(module: ir.Module) -> Function:
    """``(job) -> i64``: group tokens to tiles; noughts for padding; the most splits of a tile."""
    f = Function(module, "botkit_tiles", I64, [PTR])
    (job,) = f.parameters
    N, most = Job.load(job, "tokens"), Job.load(job, "tile_tokens")
    positions, slots = Job.load(job, "positions"), Job.load(job, "slots")
    tiles = Job.load(job, "tiles")
    found = f.variable(f.const(0, I64))
    open_slot = f.variable(f.const(-1, I32))
    splits = f.variable(f.const(0, I64))
    width = Job.load(job, "heads") * Job.load(job, "head_dim")
    with f.loop(0, N) as token:
        position = positions.load(I32, token)
        with f.either(position < 0) as (padding, real):
            with padding:
                open_slot.set(f.const(-1, I32))
                _blank(f, Job.load(job, "mixed").at(F32, token * width), width)
            with real:
                slot = slots.load(I32, token)
                last = tiles.offset((found.get() - 1) * Tile.size)
                fits = f.variable(slot.equals(open_slot.get()))
                with f.when(fits.get()):
                    fits.set(Tile.load(last, "count") < most)
                with f.either(fits.get()) as (joined, opened):
                    with joined:
                        Tile.store(last, "count", Tile.load(last, "count") + 1)
                    with opened:
                        fresh = tiles.offset(found.get() * Tile.size)
                        Tile.store(fresh, "first", token)
                        Tile.store(fresh, "count", f.const(1, I64))
                        found.set(found.get() + 1)
                        open_slot.set(slot)
                splits.set(f.maximum(splits.get(), position.widen() / SPLIT + 1))
    Job.store(job, "splits", splits.get())
    f.done(found.get())
    return f


def _blank(f: Function, start: Value, count: Value) -> None:
    f.intrinsic(
        "llvm.memset.p0.i64", VOID, start, f.const(0, I8), count * 4, f.const(0, ir.IntType(1))
    )


class _Rows:
    """Where a chunk's things lie in a thread's scratch memory.

    Args:
        job: Of this work.
        scratch: Of this thread.
    """

    def __init__(self, job: Value, scratch: Value) -> None:
        D, most = Job.load(job, "head_dim"), Job.load(job, "tile_tokens") * Job.load(job, "group")
        self.limits = scratch
        self.peaks = scratch.at(I32, most)
        self.totals = self.peaks.at(F32, most)
        self.new_peaks = self.totals.at(F32, most)
        self.new_totals = self.new_peaks.at(F32, most)
        self.q = scratch.at(F32, (most * 5 + 15) & -16)
        self.mixed = self.q.at(F32, most * D)
        self.new_mixed = self.mixed.at(F32, most * D)
        self.scores = self.new_mixed.at(F32, most * D)
        self.loaded = self.scores.at(F32, most * SPLIT)


def _tile_of(job: Value, pair: Value) -> tuple[Value, Value]:
    """The tile (its address) and the key/value head of a pair's number."""
    K = Job.load(job, "kv_heads")
    return Job.load(job, "tiles").offset(pair / K * Tile.size), pair % K


def _rows_of(job: Value, tile: Value) -> Value:
    return Tile.load(tile, "count") * Job.load(job, "group")


def _slot_of(job: Value, tile: Value) -> Value:
    return Job.load(job, "slots").load(I32, Tile.load(tile, "first")).widen()


def _split_range(f: Function, job: Value, tile: Value) -> tuple[Value, Value, Value]:
    """The first split that a tile sees, the one after its last, and its last position."""
    positions = Job.load(job, "positions")
    first = Tile.load(tile, "first")
    oldest = positions.load(I32, first).widen()
    newest = positions.load(I32, first + Tile.load(tile, "count") - 1).widen()
    window = Job.load(job, "window")
    start = f.maximum(oldest - window + 1, f.const(0, I64))
    start = (window > 0).select(start, f.const(0, I64))
    return start / SPLIT, newest / SPLIT + 1, newest


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


def _add_one_split(module: ir.Module, split: SplitFunctions) -> Function:
    """``(job, tile, head, split, scratch, mixed, peaks, totals)``: a tile over one split."""
    f = Function(module, "botkit_one_split", VOID, [PTR, PTR, I64, I64, PTR, PTR, PTR, PTR])
    job, tile, head, number, scratch, mixed, peaks, totals = f.parameters
    own = _Rows(job, scratch)
    D, rows, slot = Job.load(job, "head_dim"), _rows_of(job, tile), _slot_of(job, tile)
    _, _, newest = _split_range(f, job, tile)
    first = number * SPLIT
    count = f.minimum(newest + 1 - first, f.const(SPLIT, I64))
    count = (count + (LANES - 1)) & -LANES
    for pool, use in (("keys", 0), ("values", 1)):
        f.call(split.gather, job, Job.load(job, pool), slot, head, first, count, own.loaded)
        if use == 0:
            f.call(split.scores, own.q, rows, own.loaded, count, D, own.scores)
            f.call(split.weigh, job, own.scores, rows, own.limits, first, count, peaks, totals)
        else:
            f.call(split.mix, own.scores, rows, own.loaded, count, D, mixed)
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
        keep = exp(f, (old - peak).splat(LANES))
        take = exp(f, (new - peak).splat(LANES))
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
    H, D, group = (Job.load(job, name) for name in ("heads", "head_dim", "group"))
    with f.loop(0, Tile.load(tile, "count")) as n:
        token = Tile.load(tile, "first") + n
        with f.loop(0, group) as member:
            row = n * group + member
            share = (f.const(1.0, F32) / totals.load(F32, row)).splat(LANES)
            out = Job.load(job, "mixed").at(F32, (token * H + head * group + member) * D)
            with f.loop(0, D, LANES) as d:
                # Plus 0: a nought's sign depends on how many noughts were added before.
                out.store(mixed.load(F32x8, row * D + d) * share + 0.0, d)
    f.done()
    return f


def _begin(f: Function, rows: Value, D: Value, mixed: Value, peaks: Value, totals: Value) -> None:
    """Nothing seen yet."""
    with f.loop(0, rows) as row:
        peaks.store(f.const(NOTHING, F32), row)
        totals.store(f.const(0.0, F32), row)
    _blank(f, mixed, rows * D)


def _add_whole_task(
    module: ir.Module, load_rows: Function, one: Function, merge: Function, finish: Function
) -> Function:
    """The task of a tile and head: all its splits."""
    f = Function(module, "botkit_attend_whole", VOID, [PTR, I64, PTR])
    job, pair, scratch = f.parameters
    tile, head = _tile_of(job, pair)
    own, D, rows = _Rows(job, scratch), Job.load(job, "head_dim"), _rows_of(job, tile)
    f.call(load_rows, job, tile, head, own.q, own.limits)
    _begin(f, rows, D, own.mixed, own.peaks, own.totals)
    start, stop, _ = _split_range(f, job, tile)
    state = (own.mixed, own.peaks, own.totals)
    fresh = (own.new_mixed, own.new_peaks, own.new_totals)
    with f.loop(start, stop) as number:
        f.call(one, job, tile, head, number, scratch, *fresh)
        f.call(merge, rows, D, *state, *fresh)
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f


def _partial(job: Value, pair: Value, number: Value) -> tuple[Value, Value, Value]:
    """Where a split's result waits: mixed rows, peaks, totals."""
    D, most = Job.load(job, "head_dim"), Job.load(job, "tile_tokens") * Job.load(job, "group")
    place = (pair * Job.load(job, "splits") + number) * _partial_size(most, D)
    mixed = Job.load(job, "partials").at(F32, place)
    peaks = mixed.at(F32, most * D)
    return mixed, peaks, peaks.at(F32, most)


def _add_part_task(module: ir.Module, load_rows: Function, one: Function) -> Function:
    """The task of a tile, a head and one split."""
    f = Function(module, "botkit_attend_part", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    splits = Job.load(job, "splits")
    pair, number = chunk / splits, chunk % splits
    tile, head = _tile_of(job, pair)
    start, stop, _ = _split_range(f, job, tile)
    with f.when((number >= start) & (number < stop)):
        own = _Rows(job, scratch)
        f.call(load_rows, job, tile, head, own.q, own.limits)
        f.call(one, job, tile, head, number, scratch, *_partial(job, pair, number))
    f.done()
    return f


def _add_join_task(module: ir.Module, merge: Function, finish: Function) -> Function:
    """The task of a tile and head whose splits were done one by one."""
    f = Function(module, "botkit_attend_join", VOID, [PTR, I64, PTR])
    job, pair, scratch = f.parameters
    tile, head = _tile_of(job, pair)
    own, D, rows = _Rows(job, scratch), Job.load(job, "head_dim"), _rows_of(job, tile)
    _begin(f, rows, D, own.mixed, own.peaks, own.totals)
    start, stop, _ = _split_range(f, job, tile)
    with f.loop(start, stop) as number:
        f.call(merge, rows, D, own.mixed, own.peaks, own.totals, *_partial(job, pair, number))
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f
