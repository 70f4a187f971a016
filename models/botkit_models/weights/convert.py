"""A checkpoint to the serving form: fused, perhaps rotated, perhaps quantised."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import ml_dtypes
import numpy as np

from botkit_models.weights.basis import kept_sources
from botkit_models.weights.checkpoint import Array, Checkpoint
from botkit_models.weights.native import TensorSource, write_native
from botkit_models.weights.quantize import quantized_sources
from botkit_models.weights.rotation import can_rotate, rotated
from botkit_models.weights.serving import Load, serving_shapes, serving_tensors

WeightsKind = Literal["int8", "bfloat16", "float32"]


def convert(checkpoint: Checkpoint, folder: Path, *, weights: WeightsKind = "int8") -> None:
    """Write ``checkpoint`` as a serving folder, one tensor in memory at a time.

    Args:
        checkpoint: What to convert.
        folder: Where; see :func:`botkit_models.weights.native.write_native`.
        weights: ``int8`` (W8A8, rotated where the family allows it), ``bfloat16`` or ``float32``.
            Norms, biases and learned positions stay float32.

    Raises:
        PullError: The folder cannot be written.
        ModelFileError: A tensor is damaged.
    """
    config = checkpoint.config
    tensors = serving_tensors(config, checkpoint.tensors)
    kept: dict[str, TensorSource] = {}
    if weights == "int8" and can_rotate(config):
        kept = kept_sources(config, tensors)
        tensors = rotated(config, tensors)
        config = dataclasses.replace(config, tie_embeddings=False)
    shapes = serving_shapes(config)
    sources: dict[str, TensorSource] = {}
    for name, load in tensors.items():
        sources |= _sources(name, shapes[name], load, weights)
    sources |= kept
    write_native(folder, config, checkpoint.tokenizer, sources, checkpoint.metadata)


def _sources(
    name: str, shape: tuple[int, ...], load: Load, weights: WeightsKind
) -> dict[str, TensorSource]:
    matrix = len(shape) == 2 and not name.startswith("position.")
    if matrix and weights == "int8":
        return quantized_sources(name, shape, load)
    dtype = np.dtype(ml_dtypes.bfloat16 if matrix and weights == "bfloat16" else np.float32)

    def as_dtype() -> Array:
        return load().astype(dtype)

    return {name: TensorSource(dtype, shape, as_dtype)}
