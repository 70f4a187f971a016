"""Vector arithmetic that the kernels share. Orders of operations are fixed: bits depend on them."""

from __future__ import annotations

import math

from botkit_models.kernels.emit import F32, I16, I32, Function, Value, vector

LANES = 8
F32x8 = vector(F32, LANES)
I32x8 = vector(I32, LANES)
I16x16 = vector(I16, 16)

LOWEST_EXPONENT = -87.0
"""``exp`` of less is 0: float32 ends there, denormals aside."""

_HIGHEST_EXPONENT = 88.0
_LN2_HIGH = 0.693359375  # its product with a small integer is exact
_LN2_LOW = math.log(2) - _LN2_HIGH
_TAYLOR_DEGREE = 7

_LOWEST_POWER = -126.0
_ROUNDER = 1.5 * 2**23
_POWER_DEGREE = 6


def exp(f: Function, x: Value) -> Value:
    """``exp(x)`` of 8 lanes, relative error about 1e-7; exactly 1 at 0 and 0 at minus infinity.

    Halved to ``2**n * exp(r)`` with ``|r| <= ln(2) / 2``, where the Taylor series to the seventh
    power is within 1e-8.
    """
    low, high = f.const(LOWEST_EXPONENT, x.type), f.const(_HIGHEST_EXPONENT, x.type)
    inside = f.maximum(f.minimum(x, high), low)
    n = round_even(f, inside * (1 / math.log(2)))
    r = f.fused(n, f.const(-_LN2_HIGH, x.type), inside)
    r = f.fused(n, f.const(-_LN2_LOW, x.type), r)
    series = f.const(1 / math.factorial(_TAYLOR_DEGREE), x.type)
    for power in range(_TAYLOR_DEGREE - 1, -1, -1):
        series = f.fused(series, r, f.const(1 / math.factorial(power), x.type))
    bits = n.cast("fptosi", I32x8) + 127 << 23
    return (x < low).select(f.zero(x.type), series * bits.cast("bitcast", x.type))


def exp2(f: Function, x: Value) -> Value:
    """``2**x`` of 8 lanes for ``x <= 0``, relative error about 2e-7; exactly 1 at 0, 0 below -126.

    Adding 1.5 * 2**23 leaves the nearest whole number in the low bits of the sum, from where it
    goes straight to the exponent.
    """
    low, magic = f.const(_LOWEST_POWER, x.type), f.const(_ROUNDER, x.type)
    inside = f.maximum(x, low)
    shifted = inside + magic
    rest = inside - (shifted - magic)
    series = f.const(math.log(2) ** _POWER_DEGREE / math.factorial(_POWER_DEGREE), x.type)
    for power in range(_POWER_DEGREE - 1, -1, -1):
        factor = math.log(2) ** power / math.factorial(power)
        series = f.fused(series, rest, f.const(factor, x.type))
    exponent = shifted.cast("bitcast", I32x8) << 23
    result = (series.cast("bitcast", I32x8) + exponent).cast("bitcast", x.type)
    return (x < low).select(f.zero(x.type), result)


def round_even(f: Function, x: Value) -> Value:
    """``x`` rounded to a whole number, halves to even."""
    return f.intrinsic("llvm.nearbyint.v8f32", F32x8, x)


def sigmoid_weighted(f: Function, x: Value) -> Value:
    """``x / (1 + exp(-x))``: SiLU (Elfwing et al. 2017, arXiv:1702.03118)."""
    return x / (exp(f, f.zero(x.type) - x) + 1.0)


def tanh(f: Function, x: Value) -> Value:
    """Hyperbolic tangent, as ``1 - 2 / (exp(2x) + 1)``."""
    return f.const(1.0, x.type) - f.const(2.0, x.type) / (exp(f, x + x) + 1.0)


def absolute(f: Function, x: Value) -> Value:
    """``|x|`` of 8 lanes."""
    return f.intrinsic("llvm.fabs.v8f32", F32x8, x)


def fold_sum(v: Value) -> Value:
    """The lanes' sum, halves added to halves."""
    width = v.type.count
    while width > 1:
        width //= 2
        v = v.shuffle(v, range(width)) + v.shuffle(v, range(width, 2 * width))
    return v.lane(0)


def fold_max(f: Function, v: Value) -> Value:
    """The largest lane."""
    width = v.type.count
    while width > 1:
        width //= 2
        v = f.maximum(v.shuffle(v, range(width)), v.shuffle(v, range(width, 2 * width)))
    return v.lane(0)


def transpose(rows: list[Value]) -> list[Value]:
    """Eight vectors of eight lanes, rows for columns."""
    pairs = []
    for a, b in zip(rows[0::2], rows[1::2], strict=True):
        pairs.append(a.shuffle(b, [0, 8, 1, 9, 4, 12, 5, 13]))
        pairs.append(a.shuffle(b, [2, 10, 3, 11, 6, 14, 7, 15]))
    quads = []
    for half in (pairs[0:4], pairs[4:8]):
        for a, b in ((half[0], half[2]), (half[1], half[3])):
            quads.append(a.shuffle(b, [0, 1, 8, 9, 4, 5, 12, 13]))
            quads.append(a.shuffle(b, [2, 3, 10, 11, 6, 7, 14, 15]))
    halves = list(zip(quads[:4], quads[4:], strict=True))
    low = [a.shuffle(b, [0, 1, 2, 3, 8, 9, 10, 11]) for a, b in halves]
    high = [a.shuffle(b, [4, 5, 6, 7, 12, 13, 14, 15]) for a, b in halves]
    return low + high


def load_part(f: Function, address: Value, count: Value, lanes: int = LANES) -> Value:
    """Load the first ``count`` of ``lanes`` floats, nought after them; no byte more is read."""
    found = f.variable(f.zero(vector(F32, lanes)))
    with f.either(count >= lanes) as (whole, part):
        with whole:
            found.set(address.load(vector(F32, lanes)))
        with part:
            room = f.space(4 * lanes)
            room.store(f.zero(vector(F32, lanes)))
            with f.loop(0, count) as i:
                room.store(address.load(F32, i), i)
            found.set(room.load(vector(F32, lanes)))
    return found.get()


def store_part(f: Function, address: Value, value: Value, count: Value) -> None:
    """Store the first ``count`` lanes; no byte more is written."""
    with f.either(count >= LANES) as (whole, part):
        with whole:
            address.store(value)
        with part:
            room = f.space(4 * LANES)
            room.store(value)
            with f.loop(0, count) as i:
                address.store(room.load(F32, i), i)
