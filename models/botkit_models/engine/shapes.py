"""Arrays that a program takes, described by shape and dtype: what it is compiled for."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from botkit_models.engine.sampling import MAX_BIASES, SamplingBatch
from botkit_models.gpt.lora import Adapters, LoraShapes, Stack


def sampling_shapes(rows: int) -> SamplingBatch:
    """Shapes and dtypes of a :class:`SamplingBatch` of ``rows``."""
    real, whole = shape(jnp.float32, rows), int32(rows)
    return SamplingBatch(
        temperature=real,
        top_p=real,
        top_k=whole,
        min_p=real,
        frequency_penalty=real,
        presence_penalty=real,
        repetition_penalty=real,
        seed=shape(jnp.uint32, rows, 2),
        bias_ids=int32(rows, MAX_BIASES),
        bias_values=shape(jnp.float32, rows, MAX_BIASES),
        prompt_length=whole,
        logprobs=shape(jnp.bool_, rows),
    )


def adapter_shapes(lora: LoraShapes, rows: int) -> Adapters:
    """Shapes and dtypes of the :class:`Adapters` of ``rows``."""
    stacks = [
        {
            name: Stack(shape(jnp.float32, n, rank, inside), shape(jnp.float32, n, rank, out))
            for name, (n, rank, inside, out) in layer.items()
        }
        for layer in lora
    ]
    return Adapters(stacks, int32(rows))


def int32(*sizes: int) -> Any:
    """An int32 array of these sizes."""
    return shape(jnp.int32, *sizes)


def shape(dtype: Any, *sizes: int) -> Any:
    """An array of these sizes."""
    return jax.ShapeDtypeStruct(sizes, np.dtype(dtype))  # type: ignore[no-untyped-call]
