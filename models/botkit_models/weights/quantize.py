"""Matrices as int8 with one float32 scale per output channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from botkit_models.weights.checkpoint import Array
from botkit_models.weights.native import TensorSource
from botkit_models.weights.serving import Float, Load

INT8_MAX = 127


def quantize_channels(matrix: Float) -> tuple[NDArray[np.int8], Float]:
    """``matrix [out, in]`` as int8 and scales ``[out]``: ``matrix ~ int8 * scale[:, None]``."""
    peak = np.abs(matrix).max(axis=1)  # out
    # A channel of denormal numbers is as good as zero, and its scale would be one.
    scale = np.where(peak > 1e-30, peak / INT8_MAX, 1.0).astype(np.float32)
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale


def quantized_sources(name: str, shape: tuple[int, ...], load: Load) -> dict[str, TensorSource]:
    """``NAME.weight`` and ``NAME.scale``, from one load while they are written in that order."""
    scales: list[Float] = []

    def weight() -> Array:
        matrix, scale = quantize_channels(load())
        scales.append(scale)
        return matrix

    def scale() -> Array:
        if not scales:
            weight()
        return scales.pop()

    module = name.removesuffix(".weight")
    return {
        name: TensorSource(np.dtype(np.int8), shape, weight),
        f"{module}.scale": TensorSource(np.dtype(np.float32), shape[:1], scale),
    }
