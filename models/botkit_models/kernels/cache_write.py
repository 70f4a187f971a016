"""Rotary embedding, and new keys and values written into the paged cache."""

from __future__ import annotations

from llvmlite import ir

from botkit_models.kernels.arithmetic import LANES, F32x8
from botkit_models.kernels.attend_job import BLOCK, Job
from botkit_models.kernels.emit import F16, F32, I32, I64, PTR, VOID, Function, Value, vector

WRITE_CHUNK = 16
"""Tokens that are written per chunk of work."""

_QUAD = 4
_LARGEST_HALF = 65504.0


def add_rotate(module: ir.Module) -> Function:
    """``(job, x, i64 token, f32 factor, out)``: one head ``[D]``, rotated and times ``factor``.

    Half-split pairs ``(a, b) -> (a cos - b sin, b cos + a sin)``: :mod:`botkit_models.gpt.rotary`.
    """
    f = Function(module, "botkit_rotate", VOID, [PTR, PTR, I64, F32, PTR])
    job, x, token, factor, out = f.parameters
    D = Job.load(job, "head_dim")
    quad = vector(F32, _QUAD)
    cos, sin = Job.load(job, "cos"), Job.load(job, "sin")
    times = factor.splat(_QUAD)
    with f.either(cos.cast("ptrtoint", I64).equals(0)) as (plain, turned):
        with plain, f.loop(0, D, _QUAD) as d:
            out.store(x.load(quad, d) * times, d)
        with turned:
            half = D / 2
            with f.loop(0, half, _QUAD) as d:
                c, s = cos.load(quad, token * half + d), sin.load(quad, token * half + d)
                a, b = x.load(quad, d), x.load(quad, half + d)
                out.store((a * c - b * s) * times, d)
                out.store((b * c + a * s) * times, half + d)
    f.done()
    return f


def add_write_task(module: ir.Module, rotate: Function) -> Function:
    """The task of a chunk of tokens: their keys, rotated, and values go into the cache."""
    store = _add_store_head(module)
    f = Function(module, "botkit_write_tokens", VOID, [PTR, I64, PTR])
    job, chunk, scratch = f.parameters
    first = chunk * WRITE_CHUNK
    last = f.minimum(first + WRITE_CHUNK, Job.load(job, "tokens"))
    K, D = Job.load(job, "kv_heads"), Job.load(job, "head_dim")
    with f.loop(first, last) as token:
        position = Job.load(job, "positions").load(I32, token).widen()
        with f.when(position >= 0):
            slot = Job.load(job, "slots").load(I32, token).widen()
            block = block_of(job, slot, position / BLOCK)
            with f.loop(0, K) as head:
                place = ((block * K + head) * BLOCK + position % BLOCK) * D
                source = (token * K + head) * D
                key = Job.load(job, "k").at(F32, source)
                f.call(rotate, job, key, token, f.const(1.0, F32), scratch)
                f.call(store, scratch, Job.load(job, "keys").at(F16, place), D)
                value = Job.load(job, "v").at(F32, source)
                f.call(store, value, Job.load(job, "values").at(F16, place), D)
    f.done()
    return f


def block_of(job: Value, slot: Value, index: Value) -> Value:
    """The number of the block that holds positions ``16 * index`` and on of a slot."""
    place = slot * Job.load(job, "table_width") + index
    return Job.load(job, "tables").load(I32, place).widen()


def _add_store_head(module: ir.Module) -> Function:
    """``(x, out, i64 D)``: float32 as float16, finite whatever comes.

    What is in the cache must be finite: a position that a query does not see has weight 0, and 0
    times infinity would not be 0.
    """
    f = Function(module, "botkit_store_head", VOID, [PTR, PTR, I64])
    x, out, D = f.parameters
    high, low = f.const(_LARGEST_HALF, F32x8), f.const(-_LARGEST_HALF, F32x8)
    with f.loop(0, D, LANES) as d:
        inside = f.maximum(f.minimum(x.load(F32x8, d), high), low)
        out.store(inside.cast("fptrunc", vector(F16, LANES)), d)
    f.done()
    return f
