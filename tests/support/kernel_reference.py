"""What the kernels should compute, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BLOCK = 16
INT16_TOP = 32767


def quantised_linear(x: Array, weight: Array, scale: Array) -> Array:
    """Activations in 16 bits, one scale per row: the same float32 operations as the kernel's."""
    top = np.float32(min(INT16_TOP, (2**31 - 1) // (128 * x.shape[1])))
    peak = np.abs(x).max(-1, keepdims=True)  # N,1
    with np.errstate(divide="ignore"):
        factor = np.where(peak > 0, top / peak, np.float32(0))
    whole = np.rint(x * factor).astype(np.int64)  # N,in
    sums = (whole @ weight.T.astype(np.int64)).astype(np.float32)  # N,out
    result: Array = sums * (peak / top * scale)
    return result


def linear(
    x: Array,
    weight: Array,
    scale: Array,
    positions: Array,
    rms_eps: float | None,
    gated_silu: bool,
    residual: Array | None,
) -> Array:
    """The projection without quantised activations, in float64."""
    y = _normalised(x, rms_eps) @ _whole(weight, scale).T  # N,out
    if gated_silu:
        gate, up = np.split(y, 2, -1)
        y = gate / (1 + np.exp(-gate)) * up
    if residual is not None:
        y = y + residual
    y[positions < 0] = 0
    result: Array = y
    return result


def linear_error(
    x: Array, weight: Array, scale: Array, rms_eps: float | None, gated_silu: bool
) -> Array:
    """How far the kernel's result may be from :func:`linear`'s, float64 [N,out].

    Sixteen bits move an activation by half a step at most, so a sum by half a step for each of its
    weights; float32 adds a few millionths of what is summed. The slope of SiLU is below 1.1.
    """
    x, weights = _normalised(x, rms_eps), _whole(weight, scale)
    top = min(INT16_TOP, (2**31 - 1) // (128 * x.shape[1]))
    step = np.abs(x).max(-1, keepdims=True) / top  # N,1
    error: Array = step / 2 * np.abs(weights).sum(-1) + 4e-6 * (np.abs(x) @ np.abs(weights).T)
    if gated_silu:
        gate, up = np.split(x @ weights.T, 2, -1)
        gate_error, up_error = np.split(error, 2, -1)
        passed = np.abs(gate / (1 + np.exp(-gate)))
        error = 1.1 * gate_error * (np.abs(up) + up_error) + passed * up_error
        error += 1e-5 * passed * np.abs(up)
    return error


def _normalised(x: Array, rms_eps: float | None) -> Array:
    x = x.astype(np.float64)
    return x if rms_eps is None else x / np.sqrt((x * x).mean(-1, keepdims=True) + rms_eps)


def _whole(weight: Array, scale: Array) -> Array:
    return weight.astype(np.float64) * scale[:, None]


def rotate(x: Array, cos: Array, sin: Array) -> Array:
    """Half-split pairs of ``x [N, heads, D]``, in float32."""
    first, second = np.split(x, 2, -1)
    cos, sin = cos[:, None], sin[:, None]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


def attend(
    q: Array,
    k: Array,
    v: Array,
    cos: Array | None,
    sin: Array | None,
    positions: Array,
    slots: Array,
    tables: Array,
    keys: Array,
    values: Array,
    scale: float,
    window: int | None,
    softcap: float | None,
) -> tuple[Array, Array, Array]:
    """Attention over the cache with the new tokens in it, in float64, and that cache."""
    N, H, D = q.shape
    K = k.shape[1]
    if cos is not None and sin is not None:
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    keys, values = keys.copy(), values.copy()
    real = [n for n in range(N) if positions[n] >= 0]
    for n in real:
        block = tables[slots[n], positions[n] // BLOCK]
        keys[block, :, positions[n] % BLOCK] = k[n]
        values[block, :, positions[n] % BLOCK] = v[n]
    mixed = np.zeros((N, H, D))
    for n in real:
        last = positions[n]
        first = 0 if window is None else max(0, last - window + 1)
        blocks = tables[slots[n], : last // BLOCK + 1]
        seen = [
            pool[blocks].astype(np.float64).transpose(1, 0, 2, 3).reshape(K, -1, D)
            for pool in (keys, values)
        ]  # K,S,D
        for head in range(H):
            own_keys, own_values = (pool[head * K // H, first : last + 1] for pool in seen)
            scores = own_keys @ q[n, head].astype(np.float64) * scale
            if softcap is not None:
                scores = softcap * np.tanh(scores / softcap)
            weights = np.exp(scores - scores.max())
            mixed[n, head] = weights @ own_values / weights.sum()
    return mixed.reshape(N, H * D), keys, values
