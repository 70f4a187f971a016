"""Room in memory that nobody has written to yet."""

from __future__ import annotations

import math

import jax
import numpy as np
from jax import Array
from jax.typing import DTypeLike

TARGET = "botkit_untouched"


def reserve(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros that take no memory before they are written to.

    The system gives pages when they are first written to; what is not used costs nothing.
    """
    room = jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]
    # Two calls that look alike are not to be one.
    call = jax.ffi.ffi_call(TARGET, room, has_side_effect=True)
    result: Array = call(bytes=np.int64(math.prod(shape) * np.dtype(dtype).itemsize))
    return result
