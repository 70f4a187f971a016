"""Room in memory that nobody has written to yet."""

from __future__ import annotations

import jax
from jax import Array
from jax.typing import DTypeLike

TARGET = "botkit_untouched"


def reserve(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """An array of anything: read nothing of it that was not written.

    The system gives pages when they are first written to, so that what is not used costs nothing.
    """
    # Two calls that look alike are not to be one.
    room = jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]
    result: Array = jax.ffi.ffi_call(TARGET, room, has_side_effect=True)()
    return result
