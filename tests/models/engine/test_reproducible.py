"""The same request and seed give the same reply, whatever else the engine does.

With int8 weights every bit is the same: integer sums are exact. With float32 weights the library
that multiplies one row rounds otherwise than the one that multiplies four, so there the last bits
of log-probabilities may differ, and a reply only where a draw falls within them.
"""

import asyncio
import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from engine_replies import asked, reply_to, some_text
from tiny_models import CONTEXT
from waiting import until

from botkit_models.gpt.cache import empty_caches
from botkit_models.gpt.decoder import Decoder
from botkit_models.weights.native import weights_kind

LENGTHS = (1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 257, 320, 500)


@pytest.fixture(params=["int8", "float32"])
def any_engine(request):
    return request.getfixturevalue(f"{request.param}_engine")


def check_same(engine, one, other, about=""):
    """Equal replies: to the bit with int8 weights."""
    if weights_kind(engine.model) == "int8":
        assert one == other, about
        return
    assert one[1] == other[1], about
    assert [token.id for token in one[0]] == [token.id for token in other[0]], about
    np.testing.assert_allclose(
        [token.logprob for token in one[0]], [token.logprob for token in other[0]], atol=1e-4
    )


async def neighbours(engine, lengths, budget):
    """Keep one short-lived reply of each length running, so that slots fill and empty."""

    async def one(place, length):
        for turn in range(1000):
            text = some_text(length, seed=1000 * place + turn)
            params = {"temperature": 1.5 * (turn % 2), "top_k": 7 * place, "seed": turn}
            await reply_to(engine, asked(text, budget + 3 * place, **params))

    async with asyncio.TaskGroup() as group:
        for place, length in enumerate(lengths):
            group.create_task(one(place, length))


@contextlib.asynccontextmanager
async def beside(engine, lengths, budget=9):
    """Neighbours that come and go while the body runs."""
    task = asyncio.create_task(neighbours(engine, lengths, budget))
    before = engine.stats.reply_tokens
    await until(lambda: engine.stats.reply_tokens > before, within=60)
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await until(lambda: not engine.stats.active)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_alone_and_in_any_company(any_engine, temperature):
    """1 to 3 neighbours; short ones, ones with longer caches, and ones that join and leave."""
    wanted = asked(some_text(40), 60, temperature=temperature, seed=1234)
    alone = await reply_to(any_engine, wanted)
    assert alone[1] == "length"
    assert len(alone[0]) == 60
    assert await reply_to(any_engine, wanted) == alone  # in the same company: every bit, always
    for lengths in ([20], [20, 70], [20, 70, 5], [300], [300, 20], [260, 70, 400]):
        async with beside(any_engine, lengths):
            check_same(any_engine, await reply_to(any_engine, wanted), alone, lengths)


async def test_in_every_place_of_a_batch(any_engine):
    """The same four requests in every rotation, all started together."""
    texts = [some_text(length) for length in (30, 90, 129, 7)]
    wanted = [asked(text, 25, seed=place) for place, text in enumerate(texts)]
    alone = [await reply_to(any_engine, one) for one in wanted]
    for turn in range(4):
        turned = wanted[turn:] + wanted[:turn]
        together = await asyncio.gather(*(reply_to(any_engine, one) for one in turned))
        for one, other in zip(together, alone[turn:] + alone[:turn], strict=True):
            check_same(any_engine, one, other)


async def test_growing_past_a_cache_length(any_engine):
    """A reply that itself goes from 256 to 512 positions, alone and beside short ones."""
    wanted = asked(some_text(230), 60, seed=9)
    alone = await reply_to(any_engine, wanted)
    async with beside(any_engine, [10, 20]):
        check_same(any_engine, await reply_to(any_engine, wanted), alone)


async def test_another_seed_is_another_reply(any_engine):
    text = some_text(40)
    replies = [await reply_to(any_engine, asked(text, 20, seed=seed)) for seed in (1, 2, 2**63)]
    assert len({tuple(token.id for token in tokens) for tokens, _ in replies}) == 3


async def test_prompts_around_every_border_beside_a_long_one(any_engine):
    wanted = [asked(some_text(length), 6, seed=length) for length in LENGTHS]
    alone = [await reply_to(any_engine, one) for one in wanted]
    async with beside(any_engine, [450]):
        together = await asyncio.gather(*(reply_to(any_engine, one) for one in wanted[:7]))
        together += await asyncio.gather(*(reply_to(any_engine, one) for one in wanted[7:]))
    for length, one, other in zip(LENGTHS, alone, together, strict=True):
        check_same(any_engine, one, other, length)


@pytest.fixture(scope="module")
def plain_hidden(float32_engine):
    """No chunks, no cache: hidden states ``[CONTEXT, E]`` and logits of a whole padded text."""
    model = float32_engine.model
    decoder = Decoder(model.config, {k: jnp.asarray(v) for k, v in model.tensors.items()})

    @jax.jit
    def run(tokens):
        caches = empty_caches(model.config, 1, CONTEXT)
        hidden, _ = decoder.hidden(tokens[None], jnp.arange(CONTEXT)[None], caches)
        return hidden[0], jax.nn.log_softmax(decoder.logits(hidden[0]))

    def of(text):
        padded = np.zeros(CONTEXT, np.int32)
        padded[: len(text)] = text
        return [np.asarray(part)[: len(text)] for part in run(padded)]

    return of


async def test_greedy_replies_equal_the_plain_loop(float32_engine, plain_hidden):
    """The whole text through the decoder again for every token."""
    for length in LENGTHS:
        text = some_text(length)
        budget = min(12, CONTEXT - length)
        tokens, _ = await reply_to(float32_engine, asked(text, budget, temperature=0.0))
        for token in tokens:
            _, logprobs = plain_hidden(text)
            assert token.id == logprobs[-1].argmax(), length
            assert token.logprob == pytest.approx(logprobs[-1].max(), abs=1e-4)
            text.append(token.id)
        assert len(tokens) == budget


async def test_scores_and_vectors_equal_the_plain_pass(float32_engine, plain_hidden):
    for length in LENGTHS:
        text = some_text(length)
        hidden, logprobs = plain_hidden(text)
        (scored,) = await float32_engine.score([text], top=5)
        assert [token.id for token in scored] == text[1:]
        for token, row in zip(scored, logprobs, strict=False):
            assert token.logprob == pytest.approx(row[token.id], abs=1e-4)
            assert len(token.top) == 5
            assert token.top[0] == (row.argmax(), pytest.approx(row.max(), abs=1e-4))
        (pooled,) = await float32_engine.embed([text])
        np.testing.assert_allclose(pooled, hidden.mean(axis=0), atol=1e-5)


async def test_scores_and_vectors_are_the_same_alone_and_together(any_engine):
    texts = [some_text(length) for length in LENGTHS]
    alone = [(await any_engine.score([text], 2))[0] for text in texts]
    vectors = [(await any_engine.embed([text]))[0] for text in texts]
    async with beside(any_engine, [300, 20]):
        assert await any_engine.score(texts, 2) == alone
        for one, other in zip(await any_engine.embed(texts), vectors, strict=True):
            np.testing.assert_array_equal(one, other)
