"""Rotary position embedding, half-split pairs (Su et al. 2021, arXiv:2104.09864)."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from botkit_models.config import RopeScaling

Rotation = tuple[Array, Array]


def frequencies(head_dim: int, theta: float, scaling: RopeScaling | None) -> NDArray[np.float32]:
    """Angle per position of each pair, ``[D/2]`` float32, in radians."""
    exponent = np.arange(0, head_dim, 2, dtype=np.float32) / head_dim
    plain = (1.0 / theta**exponent).astype(np.float32)
    if scaling is None:
        return plain
    slow = plain / scaling.factor
    if scaling.kind == "linear":
        return slow.astype(np.float32)
    # Llama 3: keep short wavelengths, stretch long ones, blend between.
    turns = scaling.original_positions * plain / (2 * math.pi)
    blend = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
    blend = np.clip(blend, 0.0, 1.0)
    scaled: NDArray[np.float32] = (slow * (1 - blend) + plain * blend).astype(np.float32)
    return scaled


def rotation(positions: Array, frequency: NDArray[np.float32]) -> Rotation:
    """Cosine and sine ``[B, T, 1, D/2]`` float32 for positions ``[B, T]`` int32."""
    angle = positions[:, :, None, None].astype(jnp.float32) * frequency  # B,T,1,D/2
    return jnp.cos(angle), jnp.sin(angle)


def rotate(x: Array, cos: Array, sin: Array) -> Array:
    """Rotate ``x [B, T, heads, D]`` by ``cos, sin [B, T, 1, D/2]``."""
    first, second = jnp.split(x, 2, axis=-1)  # B,T,heads,D/2
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
