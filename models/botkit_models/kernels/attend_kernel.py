"""The kernel of attention over a paged cache.

Tokens are grouped to tiles (:mod:`.tiles`). A tile's heads of one key/value head are the rows of
small matrix products, done split after split of 128 positions (:mod:`.attend_split`), each with
its own softmax; the splits' results are merged in order (Milakov and Gimelshein 2018,
arXiv:1805.02867).

Many tiles: a chunk of work is a tile and head with all its splits. Few tiles, as in decoding: it is
a single split, and the results are merged afterwards. The arithmetic is the same.
"""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.attend_job import BLOCK, ROWS, SPLIT, Job, Partial, Scratch, Tile
from botkit_models.kernels.attend_split import LOG2_E
from botkit_models.kernels.attend_tasks import AttendTasks, add_attend_tasks
from botkit_models.kernels.cache_write import WRITE_CHUNK, add_rotate, add_write_task
from botkit_models.kernels.emit import F32, I32, I64, PTR, Function, Value
from botkit_models.kernels.frame import Call, add_handler
from botkit_models.kernels.panel import COLUMNS
from botkit_models.kernels.pool import Pool
from botkit_models.kernels.tiles import add_tiles

TARGET = "botkit_attend"
"""Name of the foreign function."""

ATTRIBUTES = ("rotate", "scale", "softcap", "window")

MAX_TILE = 16
"""Most tokens of a tile."""

FEW = 8
"""Fewer pairs of tile and head per thread than this are divided further, by splits."""


def add_attend(module: ir.Module, pool: Pool) -> None:
    """Write the kernel into a module."""
    rotate = add_rotate(module)
    write = add_write_task(module, rotate)
    tiles = add_tiles(module)
    tasks = add_attend_tasks(module, rotate)

    def body(f: Function, call: Call) -> None:
        taken = f.call(pool.enter)
        few = f.call(pool.threads) * FEW
        tokens, kv_heads = call.argument(0).dim(0), call.argument(1).dim(1)
        most_pairs = f.minimum(few, tokens * kv_heads)
        memory = f.call(pool.borrow, taken, _room(f, call, most_pairs))
        job = _job(f, call, memory)
        found = f.call(tiles, job)
        with f.when(found > 0):
            scratch = Scratch.size(_rows(job), Job.load(job, "padded_dim"))
            chunks = (tokens + (WRITE_CHUNK - 1)) / WRITE_CHUNK
            f.call(pool.run, taken, f.address(write.ir), job, chunks, scratch)
            _attend(f, pool, tasks, taken, job, found * kv_heads, few, scratch)
        f.call(pool.give_back, taken, memory)
        f.call(pool.leave, taken)

    add_handler(module, TARGET, ATTRIBUTES, body)


def _attend(
    f: Function,
    pool: Pool,
    tasks: AttendTasks,
    taken: Value,
    job: Value,
    pairs: Value,
    few: Value,
    scratch: Value,
) -> None:
    splits = Job.load(job, "splits")
    with f.either((pairs < few) & (splits > 1)) as (divided, whole):
        with divided:
            f.call(pool.run, taken, f.address(tasks.part.ir), job, pairs * splits, scratch)
            f.call(pool.run, taken, f.address(tasks.join.ir), job, pairs, scratch)
        with whole:
            f.call(pool.run, taken, f.address(tasks.whole.ir), job, pairs, scratch)


def _rows(job: Value) -> Value:
    return Job.load(job, "tile_tokens") * Job.load(job, "group")


def _tile_tokens(f: Function, group: Value) -> Value:
    """How many tokens a tile may have: their heads of a group are its rows."""
    fitting = f.minimum(f.const(ROWS, I64) / group, f.const(MAX_TILE, I64))
    return f.maximum(fitting, f.const(1, I64))


def _padded(D: Value) -> Value:
    return (D + (COLUMNS - 1)) & -COLUMNS


def _tiles_size(tokens: Value) -> Value:
    return (tokens * Tile.size + 63) & -64


def _room(f: Function, call: Call, most_pairs: Value) -> Value:
    """Bytes for the tiles, and for results that wait."""
    q, k, tables = call.argument(0), call.argument(1), call.argument(5)
    group = q.dim(1) / k.dim(1)
    most_splits = (tables.dim(1) * BLOCK + (SPLIT - 1)) / SPLIT
    partial = Partial.size(_tile_tokens(f, group) * group, _padded(q.dim(2)))
    return _tiles_size(q.dim(0)) + most_pairs * most_splits * partial


def _job(f: Function, call: Call, memory: Value) -> Value:
    q, k, v, positions, slots, tables, _, _, cos, sin = (call.argument(n) for n in range(10))
    mixed, keys, values = (call.result(n) for n in range(3))
    group = q.dim(1) / k.dim(1)
    rotated = call.attribute("rotate", I32).differs(0)
    scale, softcap = call.attribute("scale", F32), call.attribute("softcap", F32)
    return Job.make(
        f,
        q=q.data,
        k=k.data,
        v=v.data,
        cos=rotated.select(cos.data, f.zero(PTR)),
        sin=rotated.select(sin.data, f.zero(PTR)),
        positions=positions.data,
        slots=slots.data,
        tables=tables.data,
        keys=keys.data,
        values=values.data,
        mixed=mixed.data,
        tokens=q.dim(0),
        heads=q.dim(1),
        kv_heads=k.dim(1),
        group=group,
        head_dim=q.dim(2),
        padded_dim=_padded(q.dim(2)),
        table_width=tables.dim(1),
        window=call.attribute("window", I32).widen(),
        # A soft cap is of the scores as they are.
        scale=scale * (softcap > 0.0).select(f.const(1.0, F32), f.const(LOG2_E, F32)),
        softcap=softcap,
        tile_tokens=_tile_tokens(f, group),
        tiles=memory,
        splits=f.const(0, I64),
        partials=memory.offset(_tiles_size(q.dim(0))),
    )
