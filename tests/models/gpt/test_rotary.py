"""Rotary positions and their scalings against the formulas, one number at a time."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from botkit_models.config import RopeScaling
from botkit_models.gpt.rotary import frequencies, rotate, rotation


@pytest.mark.parametrize(("dim", "theta"), [(8, 10000.0), (64, 100000.0), (128, 500000.0)])
def test_plain_frequencies(dim, theta):
    expected = [theta ** (-2 * pair / dim) for pair in range(dim // 2)]
    np.testing.assert_allclose(frequencies(dim, theta, None), expected, rtol=1e-5)


def test_linear_scaling_divides_every_frequency():
    scaled = frequencies(64, 10000.0, RopeScaling("linear", 4.0))
    np.testing.assert_allclose(scaled, frequencies(64, 10000.0, None) / 4, rtol=1e-6)


def llama3(frequency: float, scaling: RopeScaling) -> float:
    """The rule by wavelength: short kept, long stretched, a linear blend between."""
    wavelength = 2 * math.pi / frequency
    if wavelength < scaling.original_positions / scaling.high_freq_factor:
        return frequency
    if wavelength > scaling.original_positions / scaling.low_freq_factor:
        return frequency / scaling.factor
    smooth = (scaling.original_positions / wavelength - scaling.low_freq_factor) / (
        scaling.high_freq_factor - scaling.low_freq_factor
    )
    return (1 - smooth) * frequency / scaling.factor + smooth * frequency


def test_llama3_scaling_has_all_three_regions():
    scaling = RopeScaling("llama3", 8.0, 1.0, 4.0, 8192)
    plain = frequencies(128, 500000.0, None)
    scaled = frequencies(128, 500000.0, scaling)
    np.testing.assert_allclose(scaled, [llama3(float(one), scaling) for one in plain], rtol=2e-5)
    ratio = plain / scaled
    assert np.isclose(ratio[0], 1)
    assert np.isclose(ratio[-1], 8)
    assert np.any((ratio > 1.01) & (ratio < 7.99))


def test_rotation_turns_pairs_of_halves_by_position_times_frequency():
    frequency = frequencies(8, 100.0, None)
    x = np.random.default_rng(0).normal(size=(1, 3, 2, 8)).astype(np.float32)
    positions = np.array([[0, 5, 300]], np.int32)
    turned = np.asarray(rotate(jnp.asarray(x), *rotation(jnp.asarray(positions), frequency)))
    pairs = x[..., :4] + 1j * x[..., 4:]
    angle = positions[:, :, None, None] * frequency.astype(np.float64)
    expected = pairs * np.exp(1j * angle)
    np.testing.assert_allclose(turned[..., :4] + 1j * turned[..., 4:], expected, atol=1e-4)
    np.testing.assert_array_equal(turned[:, 0], x[:, 0])
