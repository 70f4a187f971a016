"""The kernel of attention: right, each query the same bits in any company, the cache in place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import kernel_reference
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit_models import kernels
from botkit_models.kernels.attend_job import BLOCK, SPLIT

STALE = 6e4
"""What lies in the cache where nothing was written: near the largest float16."""

PER_TOKEN = ("q", "k", "v", "cos", "sin", "positions", "slots")
attend = jax.jit(kernels.attend, static_argnames=("scale", "window", "softcap"))


@dataclass(frozen=True)
class Case:
    """One call: some slots' new tokens, over what the cache holds of them already."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    cos: np.ndarray | None
    sin: np.ndarray | None
    positions: np.ndarray
    slots: np.ndarray
    tables: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    scale: float
    window: int | None
    softcap: float | None

    def run(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The kernel's result and cache."""
        mixed, keys, values = attend(**vars(self))
        return np.asarray(mixed), np.asarray(keys), np.asarray(values)

    def only(self, tokens: np.ndarray, keys: np.ndarray, values: np.ndarray) -> Case:
        """Some of the tokens, over another state of the cache."""
        some = {name: getattr(self, name) for name in PER_TOKEN}
        some = {name: None if array is None else array[tokens] for name, array in some.items()}
        return replace(self, **some, keys=keys, values=values)

    @property
    def real(self) -> np.ndarray:
        """Which tokens are not padding."""
        return self.positions >= 0


def case(
    runs: list[tuple[int, int]],
    *,
    heads: tuple[int, int] = (6, 2),
    head_dim: int = 16,
    window: int | None = None,
    softcap: float | None = None,
    rotated: bool = True,
    padding: float = 0.2,
    seed: int = 0,
) -> Case:
    """``runs`` are each slot's first new position, and how many."""
    rng = np.random.default_rng([seed, *np.ravel(runs)])
    H, K = heads
    positions, slots = [], []
    for slot, (start, count) in enumerate(runs):
        for position in range(start, start + count):
            while rng.random() < padding:
                positions.append(-1)
                slots.append(int(rng.integers(len(runs))))
            positions.append(position)
            slots.append(slot)
    N, R = len(positions), len(runs)
    M = max(start + count for start, count in runs) // BLOCK + 2
    P = R * M + 3
    keys, values = (np.full((P, K, BLOCK, head_dim), STALE, np.float16) for _ in range(2))
    tables = rng.permutation(P)[: R * M].reshape(R, M).astype(np.int32)
    for slot, (start, _) in enumerate(runs):
        for position in range(start):
            place = tables[slot, position // BLOCK], slice(None), position % BLOCK
            keys[place] = rng.standard_normal((K, head_dim))
            values[place] = rng.standard_normal((K, head_dim))
    angles = rng.random((N, head_dim // 2)).astype(np.float32) * 7
    return Case(
        q=rng.standard_normal((N, H, head_dim)).astype(np.float32) * 2,
        k=rng.standard_normal((N, K, head_dim)).astype(np.float32),
        v=rng.standard_normal((N, K, head_dim)).astype(np.float32),
        cos=np.cos(angles) if rotated else None,
        sin=np.sin(angles) if rotated else None,
        positions=np.array(positions, np.int32),
        slots=np.array(slots, np.int32),
        tables=tables,
        keys=keys,
        values=values,
        scale=head_dim**-0.5,
        window=window,
        softcap=softcap,
    )


STARTS = st.one_of(st.integers(0, 40), st.integers(SPLIT - 3, SPLIT + 3), st.integers(0, 300))
CASES = st.builds(
    case,
    runs=st.lists(st.tuples(STARTS, st.integers(1, 24)), min_size=1, max_size=4),
    heads=st.sampled_from([(1, 1), (4, 4), (6, 2), (7, 1), (9, 3), (50, 1)]),
    head_dim=st.sampled_from([8, 16, 40, 64]),
    window=st.sampled_from([None, None, 1, 9, 140]),
    softcap=st.sampled_from([None, None, 8.0]),
    rotated=st.booleans(),
    padding=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 3),
)
many_cases = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(CASES)
@many_cases
def test_any_shape_is_attended_rightly(team, one: Case):
    mixed, keys, values = one.run()
    expected, expected_keys, expected_values = kernel_reference.attend(**vars(one))
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=2e-5)
    np.testing.assert_array_equal(keys, expected_keys)
    np.testing.assert_array_equal(values, expected_values)
    assert (mixed[~one.real] == 0).all()


@given(CASES)
@many_cases
def test_a_token_is_the_same_bits_alone(team, one: Case):
    mixed, _, _ = one.run()
    alone_keys, alone_values = one.keys, one.values
    for token in np.flatnonzero(one.real)[:30]:
        single = one.only(np.array([token]), alone_keys, alone_values)
        found, alone_keys, alone_values = single.run()
        np.testing.assert_array_equal(found[0], mixed[token])


LONG = [(SPLIT - 20, 70), (0, 5), (3 * SPLIT - 2, 4), (600, 1)]


@pytest.mark.parametrize("window", [None, 60, 200])
@pytest.mark.parametrize("softcap", [None, 20.0])
def test_any_division_into_calls_gives_the_same_bits(workers, window, softcap):
    one = case(LONG, heads=(9, 3), head_dim=64, window=window, softcap=softcap)
    mixed, keys, values = one.run()
    for size in (3, 16, 50):
        found, part_keys, part_values = [], one.keys, one.values
        for start in range(0, len(one.positions), size):
            tokens = np.arange(start, min(start + size, len(one.positions)))
            part, part_keys, part_values = one.only(tokens, part_keys, part_values).run()
            found.append(part)
        np.testing.assert_array_equal(np.concatenate(found), mixed)
        np.testing.assert_array_equal(part_keys, keys)
        np.testing.assert_array_equal(part_values, values)


def test_the_number_of_workers_changes_no_bit(team):
    one = case(LONG, heads=(9, 3), head_dim=64)
    found = []
    for workers in (0, 1, 3):
        team.start(workers)
        found.append(one.run())
    for other in found[1:]:
        for first, second in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_which_blocks_hold_a_conversation_changes_no_bit(team):
    one = case([(200, 9)], padding=0.0)
    mixed, _, _ = one.run()
    order = np.random.default_rng(3).permutation(len(one.keys))
    moved = replace(
        one,
        tables=np.argsort(order)[one.tables].astype(np.int32),
        keys=one.keys[order],
        values=one.values[order],
    )
    np.testing.assert_array_equal(moved.run()[0], mixed)


@pytest.mark.parametrize("poison", [np.inf, -np.inf, np.nan, 1e9])
def test_what_comes_later_cannot_be_seen_even_if_it_is_not_finite(team, poison):
    """Keys and values are cut to float16's range where they are written."""
    one = case([(100, 20)], padding=0.0)
    clean, _, _ = one.run()
    one.k[12:] = poison
    one.v[12:] = poison
    found, keys, values = one.run()
    np.testing.assert_array_equal(found[:12], clean[:12])
    assert np.isfinite(keys).all()
    assert np.isfinite(values).all()


def looped(one: Case, layers: int):
    """A loop of several steps over several layers' caches, as decoding is."""

    def step(q, positions, pools):
        after = []
        for keys, values in pools:
            mixed, keys, values = kernels.attend(
                q,
                one.k,
                one.v,
                one.cos,
                one.sin,
                positions,
                one.slots,
                one.tables,
                keys,
                values,
                scale=one.scale,
            )
            q = q + mixed.reshape(q.shape)
            after.append((keys, values))
        return q, positions + 1, after

    def run(q, positions, pools):
        return jax.lax.while_loop(
            lambda state: state[1][0] < 9, lambda state: step(*state), (q, positions, pools)
        )

    pools = [(jnp.asarray(one.keys), jnp.asarray(one.values)) for _ in range(layers)]
    return jax.jit(run, donate_argnums=2), (jnp.asarray(one.q), jnp.asarray(one.positions), pools)


def test_the_cache_is_changed_in_place(team):
    one = case([(4, 1), (6, 1)], padding=0.0)
    run, arguments = looped(one, layers=3)
    compiled = run.lower(*arguments).compile()
    shape = ",".join(map(str, one.keys.shape))
    assert re.search(rf"f16\[{shape}\]", compiled.as_text())
    assert not re.search(rf"f16\[{shape}\][^=]* copy\(", compiled.as_text())
    before = [pool.unsafe_buffer_pointer() for pair in arguments[2] for pool in pair]
    _, _, pools = compiled(*arguments)
    assert [pool.unsafe_buffer_pointer() for pair in pools for pool in pair] == before
