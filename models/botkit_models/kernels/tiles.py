"""Tokens grouped to tiles: neighbours of one slot, whose queries share the reading of keys."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.attend_job import SPLIT, Job, Tile
from botkit_models.kernels.emit import F32, I32, I64, PTR, Function, Value, Variable
from botkit_models.kernels.memory import blank


def add_tiles(module: ir.Module) -> Function:
    """``(job) -> i64``: how many tiles there are.

    Writes them, notes in the job how many splits the longest needs, and blanks padding's results.
    """
    f = Function(module, "botkit_tiles", I64, [PTR])
    (job,) = f.parameters
    positions, slots = Job.load(job, "positions"), Job.load(job, "slots")
    found = f.variable(f.const(0, I64))
    open_slot = f.variable(f.const(-1, I32))
    splits = f.variable(f.const(0, I64))
    width = Job.load(job, "heads") * Job.load(job, "head_dim")
    with f.loop(0, Job.load(job, "tokens")) as token:
        position = positions.load(I32, token).widen()
        with f.either(position < 0) as (padding, real):
            with padding:
                open_slot.set(f.const(-1, I32))
                blank(f, Job.load(job, "mixed").at(F32, token * width), width)
            with real:
                slot = slots.load(I32, token)
                with f.either(_fits(f, job, found, slot.equals(open_slot.get()))) as (old, new):
                    with old:
                        last = _tile(job, found.get() - 1)
                        Tile.store(last, "count", Tile.load(last, "count") + 1)
                        Tile.store(last, "newest", position)
                    with new:
                        tile = _tile(job, found.get())
                        Tile.store(tile, "first", token)
                        Tile.store(tile, "count", f.const(1, I64))
                        Tile.store(tile, "oldest", position)
                        Tile.store(tile, "newest", position)
                        found.set(found.get() + 1)
                        open_slot.set(slot)
                splits.set(f.maximum(splits.get(), position / SPLIT + 1))
    Job.store(job, "splits", splits.get())
    f.done(found.get())
    return f


def _tile(job: Value, number: Value) -> Value:
    return Job.load(job, "tiles").offset(number * Tile.size)


def _fits(f: Function, job: Value, found: Variable, same_slot: Value) -> Value:
    """Whether a token goes to the last tile: it is of the same slot, and there is room."""
    fits = f.variable(same_slot)
    with f.when(fits.get()):
        count = Tile.load(_tile(job, found.get() - 1), "count")
        fits.set(count < Job.load(job, "tile_tokens"))
    return fits.get()
