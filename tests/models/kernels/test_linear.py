"""The kernel of projections: right, each row the same bits in any company, nothing outside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import kernel_reference
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit_models import kernels
from botkit_models.kernels.dot import GROUP
from botkit_models.kernels.linear_kernel import MANY_ROWS

EPS = 1e-5
linear = jax.jit(kernels.linear, static_argnames=("rms_eps", "gated_silu"))


@dataclass(frozen=True)
class Case:
    """One call."""

    x: np.ndarray
    weight: np.ndarray
    scale: np.ndarray
    positions: np.ndarray
    residual: np.ndarray | None
    rms_eps: float | None = None
    gated_silu: bool = False

    def run(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """The kernel's result for some of the rows."""
        return np.asarray(
            linear(
                self.x[rows],
                self.weight,
                self.scale,
                self.positions[rows],
                rms_eps=self.rms_eps,
                gated_silu=self.gated_silu,
                residual=None if self.residual is None else self.residual[rows],
            )
        )


def case(
    rows: int,
    width: int,
    outs: int,
    *,
    norm: bool = False,
    gated: bool = False,
    residual: bool = False,
    padding: float = 0.0,
    seed: int = 0,
) -> Case:
    rng = np.random.default_rng([seed, rows, width, outs])
    outs *= 2 if gated else 1
    return Case(
        x=rng.standard_normal((rows, width)).astype(np.float32) * 3,
        weight=rng.integers(-128, 128, (outs, width)).astype(np.int8),
        scale=(rng.random(outs) / 500 + 1e-4).astype(np.float32),
        positions=np.where(rng.random(rows) < padding, -1, 7).astype(np.int32),
        residual=rng.standard_normal((rows, outs // (2 if gated else 1))).astype(np.float32)
        if residual
        else None,
        rms_eps=EPS if norm else None,
        gated_silu=gated,
    )


CASES = st.builds(
    case,
    rows=st.one_of(st.integers(1, 20), st.sampled_from([MANY_ROWS - 1, MANY_ROWS, 90])),
    width=st.one_of(st.integers(1, 80), st.sampled_from([576, 1000])),
    outs=st.one_of(st.integers(1, 40), st.sampled_from([257, 600])),
    norm=st.booleans(),
    gated=st.booleans(),
    residual=st.booleans(),
    padding=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 3),
)
many_cases = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(CASES)
@many_cases
def test_any_shape_is_multiplied_rightly(team, one: Case):
    found = one.run()
    expected = kernel_reference.linear(**vars(one))
    allowed = kernel_reference.linear_error(
        one.x, one.weight, one.scale, one.rms_eps, one.gated_silu
    )
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= allowed + 1e-6).all()
    assert (found[one.positions < 0] == 0).all()


@pytest.mark.parametrize("rows", [1, 2, 5, 7, 9])
@pytest.mark.parametrize(("width", "outs"), [(576, 960), (1536, 576), (37, 41)])
def test_products_are_exact_in_whole_numbers(team, rows, width, outs):
    one = case(rows, width, outs)
    expected = kernel_reference.quantised_linear(one.x, one.weight, one.scale)
    np.testing.assert_array_equal(one.run(), expected)


@pytest.mark.parametrize("width", [1, 15, 576, 8192, 20000])
def test_the_largest_sums_do_not_overflow(team, width):
    x = np.full((2, width), 5.0, np.float32)
    weight = np.full((3, width), -128, np.int8)
    one = Case(x, weight, np.ones(3, np.float32), np.zeros(2, np.int32), None)
    np.testing.assert_allclose(one.run(), -128.0 * 5.0 * width, rtol=1e-3)


def test_rows_of_noughts_and_of_tiny_numbers_give_noughts(team):
    x = np.zeros((3, 40), np.float32)
    x[1] = 1e-42
    assert (replace(case(3, 40, 9), x=x).run() == 0).all()


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("norm", [False, True])
def test_a_row_that_is_not_finite_harms_no_other(team, poison, norm):
    one = case(11, 96, 24, norm=norm)
    clean = one.run()
    one.x[4, 17] = poison
    found = one.run()
    others = np.arange(11) != 4
    np.testing.assert_array_equal(found[others], clean[others])


@pytest.mark.parametrize("gated", [False, True])
def test_a_row_is_the_same_bits_in_any_company(workers, gated):
    one = case(MANY_ROWS + 11, 600, 137, norm=True, gated=gated, residual=True)
    together = one.run()
    rng = np.random.default_rng(1)
    for count in (1, *range(2, GROUP + 3), 17, MANY_ROWS):
        rows = rng.choice(len(one.x), count, replace=False)
        np.testing.assert_array_equal(one.run(rows), together[rows])


def test_padding_changes_no_bit_of_other_rows(workers):
    one = case(30, 200, 70, norm=True)
    together = one.run()
    one.positions[[0, 3, 4, 5, 17, 29]] = -1
    found = one.run()
    real = one.positions >= 0
    np.testing.assert_array_equal(found[real], together[real])
    assert (found[~real] == 0).all()


def test_the_number_of_workers_changes_no_bit(team):
    one = case(80, 576, 700, norm=True, gated=True, residual=True)
    found = []
    for workers in (0, 1, 3):
        team.start(workers)
        found.append(one.run())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
