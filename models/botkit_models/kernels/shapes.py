"""Results of foreign calls, described for JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def float32(*shape: int) -> jax.ShapeDtypeStruct:
    """A float32 array of this shape."""
    return jax.ShapeDtypeStruct(shape, jnp.float32)  # type: ignore[no-untyped-call]
