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

from botkit_models.kernels.arithmetic import LANES, F32x8, exp2
from botkit_models.kernels.attend_job import BLOCK, ROWS, SPLIT, Job, Scratch, Tile
from botkit_models.kernels.attend_split import LOG2_E, NOTHING, add_split
from botkit_models.kernels.cache_read import add_fetch, add_fetch_keys
from botkit_models.kernels.cache_write import WRITE_CHUNK, add_rotate, add_write_task
from botkit_models.kernels.emit import F32, I8, I32, I64, PTR, VOID, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.panel import COLUMNS
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
    load_rows = _add_load_rows(module, rotate)
    fetch = add_fetch(module)
    one, begin = (
        add_split(module, fetch),
        _add_begin(module, load_rows, add_fetch_keys(module, fetch)),
    )
    merge, finish = _add_merge(module), _add_finish(module)
    whole = _add_whole_task(module, begin, one, merge, finish)
    part = _add_part_task(module, begin, one)
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
    scale, softcap = call.attribute("scale", F32), call.attribute("softcap", F32)
    nowhere = f.zero(PTR)
    taken = f.call(pool.enter)
    # Splits that one token could have, by the length of the tables.
    longest = (tables.dim(1) * BLOCK + (SPLIT - 1)) / SPLIT
    rows = tile_tokens * group
    width = (D + (COLUMNS - 1)) & -COLUMNS
    partial = _partial_size(rows, width)
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
        padded_dim=width,
        table_width=tables.dim(1),
        window=call.attribute("window", I32).widen(),
        # A soft cap is of the scores as they are.
        scale=scale * (softcap > 0.0).select(f.const(1.0, F32), f.const(LOG2_E, F32)),
        softcap=softcap,
        tile_tokens=tile_tokens,
        tiles=memory,
        splits=f.const(0, I64),
        partials=memory.offset((N * Tile.size + 127) & -64),
    )
    found = f.call(tiles, job)
    scratch = Scratch.size(rows, width)
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


def _partial_size(rows: Value, width: Value) -> Value:
    """Floats of a split's result: the mixed rows, their peaks and totals."""
    return (rows * (width + 2) + 15) & -16


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
                        Tile.store(last, "newest", position.widen())
                    with opened:
                        fresh = tiles.offset(found.get() * Tile.size)
                        Tile.store(fresh, "first", token)
                        Tile.store(fresh, "count", f.const(1, I64))
                        Tile.store(fresh, "oldest", position.widen())
                        Tile.store(fresh, "newest", position.widen())
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
    _blank(f, mixed, rows * D)


def _add_whole_task(
    module: ir.Module, begin: Function, one: Function, merge: Function, finish: Function
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
        f.call(one, job, tile, head, number, end, scratch, *fresh)
        f.call(merge, rows, D, *state, *fresh)
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f


def _partial(job: Value, pair: Value, number: Value) -> tuple[Value, Value, Value]:
    """Where a split's result waits: mixed rows, peaks, totals."""
    width, most = Job.load(job, "padded_dim"), Job.load(job, "tile_tokens") * Job.load(job, "group")
    place = (pair * Job.load(job, "splits") + number) * _partial_size(most, width)
    mixed = Job.load(job, "partials").at(F32, place)
    peaks = mixed.at(F32, most * width)
    return mixed, peaks, peaks.at(F32, most)


def _add_part_task(module: ir.Module, begin: Function, one: Function) -> Function:
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
        f.call(one, job, tile, head, number, end, scratch, *_partial(job, pair, number))
    f.done()
    return f


def _add_join_task(module: ir.Module, merge: Function, finish: Function) -> Function:
    """The task of a tile and head whose splits were done one by one."""
    f = Function(module, "botkit_attend_join", VOID, [PTR, I64, PTR])
    job, pair, scratch = f.parameters
    tile, head = _tile_of(job, pair)
    own, D, rows = Scratch(job, scratch), Job.load(job, "padded_dim"), _rows_of(job, tile)
    _clear(f, rows, D, own.mixed, own.peaks, own.totals)
    start, stop = _splits_of(f, job, tile)
    with f.loop(start, stop) as number:
        f.call(merge, rows, D, own.mixed, own.peaks, own.totals, *_partial(job, pair, number))
    f.call(finish, job, tile, head, own.mixed, own.totals)
    f.done()
    return f
