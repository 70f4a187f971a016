"""The promise in full: batch, slot, warm or cold prefix and guesses change no bit of a reply.

Batches of 1, 4 and 8, every place in them, prefixes read anew or taken over, guesses on or off;
greedy and at temperature 1; the three ways in which a model can run.
"""

import asyncio
import dataclasses
import itertools

import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from tiny_models import compile_cache, open_tiny

from botkit_models.engine.engine import Engine

BATCHES = (1, 4, 8)
BUDGET = 48
WARM = 256  # what a text has in common with one that was read before


def wanted(place, temperature):
    """Texts with a long prefix in common, and repetitions that invite guesses."""
    text = some_text(WARM) + some_text(9 + 5 * place, seed=place) + some_text(12, seed=77) * 3
    # A random model hardly repeats itself; with three favourites it does.
    favourites = ((40, 9.0), (41, 9.0), (42, 8.0)) if temperature else ()
    return asked(text, BUDGET, temperature=temperature, seed=100 + place, logit_bias=favourites)


def started(model, **changes):
    sizes = dataclasses.replace(SIZES, slots=8, queue=64, **changes)
    return Engine(model, sizes, compile_cache())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("matrix") / "int8", "int8", eos=False)


async def replies(model, temperature, batch, *, first, **changes):
    """Replies to ``batch`` texts, from an engine that has read nothing; ``first`` turns them."""
    engine = started(model, **changes)
    await engine.start(warm_up=False)
    try:
        cold = [wanted(place, temperature) for place in range(batch)]
        turned = cold[first:] + cold[:first]
        found = []
        for _ in ("cold", "warm"):  # the second time everything can be taken over
            together = await asyncio.gather(*(reply_to(engine, one) for one in turned))
            found.append(together[batch - first :] + together[: batch - first])
        return found, engine.stats
    finally:
        await engine.aclose()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_the_whole_matrix(model, temperature):
    (alone, _), _ = await replies(model, temperature, 1, first=0, drafts=0)
    expected = alone[:]
    for place in range(1, max(BATCHES)):
        engine = started(model, drafts=0)
        await engine.start(warm_up=False)
        expected.append(await reply_to(engine, wanted(place, temperature)))
        await engine.aclose()
    took_over = guessed = accepted = 0
    for batch, drafts in itertools.product(BATCHES, (0, 7)):
        for first in {0, batch // 2, batch - 1}:
            found, stats = await replies(model, temperature, batch, first=first, drafts=drafts)
            assert found == [expected[:batch]] * 2, (batch, drafts, first)
            took_over += stats.cached_tokens
            guessed += stats.drafted
            accepted += stats.accepted
    # None of that was in vain.
    assert took_over > 10 * WARM
    assert guessed > accepted > 50
    assert len({token.id for tokens, _ in expected for token in tokens}) > 2


async def test_other_chunks_change_no_bit(model):
    """Which is why what was read beside others may serve those who would have read it alone."""
    if not started(model).plan.use_kernels:
        pytest.skip("chunks are exact with kernels only; the plan depends on the length alone")
    one = wanted(3, 1.0)
    found = []
    for chunks in ((64, 256), (16,), (7, 100), (512,)):
        engine = started(model, chunks=chunks)
        await engine.start(warm_up=False)
        found.append(await reply_to(engine, one))
        await engine.aclose()
    assert found == [found[0]] * 4


@pytest.mark.parametrize("weights", ["int8", "float32"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_in_plain_xla_the_strict_mode_keeps_the_promise(tmp_path, weights, temperature):
    """Without kernels other shapes may round otherwise: strict engines avoid them."""
    model = open_tiny(tmp_path / weights, weights, eos=False)
    expected = None
    for batch, drafts in ((1, 0), (4, 7)):
        found, stats = await replies(
            model, temperature, batch, first=batch // 2, drafts=drafts, strict=True, kernels=False
        )
        expected = expected or found[0][:1]
        assert [cold_or_warm[:1] for cold_or_warm in found] == [expected] * 2
        assert found[0] == found[1]
        assert stats.cached_tokens == 0
