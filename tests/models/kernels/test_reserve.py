"""Reserved room is nought, also where memory was used before, and nobody else's."""

import jax
import numpy as np
import pytest

from botkit_models import kernels


@pytest.fixture(autouse=True)
def registered():
    kernels.register()


@pytest.mark.parametrize("shape", [(3,), (2, 1000), (7, 5, 16, 64), (64, 3, 16, 64)])
def test_it_is_nought_wherever_it_comes_from(shape):
    make = jax.jit(lambda: [kernels.reserve(shape, np.float16) for _ in range(3)])
    for _ in range(4):
        arrays = make()
        assert all(not np.any(np.asarray(array).view(np.uint16)) for array in arrays)
        assert len({array.unsafe_buffer_pointer() for array in arrays}) == 3
        # Left behind full of numbers that are none, for the next to find.
        spoilt = jax.jit(lambda arrays: [array * np.nan - np.inf for array in arrays])(arrays)
        jax.block_until_ready(spoilt)
        del arrays, spoilt
