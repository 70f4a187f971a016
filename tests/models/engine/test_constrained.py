"""Replies under a grammar: they obey it, beside free ones, whatever is guessed ahead."""

import asyncio
import dataclasses

import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from open_constraint import Broken, Pattern
from tiny_models import compile_cache
from waiting import until

from botkit.errors import CompletionError, InvalidRequestError
from botkit_models.engine.engine import Engine
from botkit_models.gpt.block import BLOCK

SETS = [{5, 40, 41, 200}, {7}, {8}, {30, 31, 263}]


def constrained(engine, wanted):
    return dataclasses.replace(wanted, constraint=Pattern(SETS, engine.model.config.vocab_size))


async def test_every_token_is_allowed_and_the_grammar_hears_of_each(engine):
    wanted = constrained(engine, asked(some_text(30), 41, seed=5, temperature=2.0))
    tokens, reason = await reply_to(engine, wanted)
    assert (len(tokens), reason) == (41, "length")
    assert wanted.constraint.accepted == [token.id for token in tokens]
    assert len({token.id for token in tokens}) > 5  # not always the first that is allowed


async def test_it_is_the_same_beside_free_replies_which_it_leaves_alone(engine):
    free = [asked(some_text(20 + place), 30, seed=place) for place in range(2)]
    bound = asked(some_text(25), 30, seed=9, temperature=1.5)
    alone = [await reply_to(engine, one) for one in free]
    bound_alone = await reply_to(engine, constrained(engine, bound))
    together = await asyncio.gather(
        *(reply_to(engine, one) for one in free), reply_to(engine, constrained(engine, bound))
    )
    assert list(together) == [*alone, bound_alone]


async def test_what_is_forced_may_pass_the_end_of_a_table(float32_engine):
    """Without kernels a program sees a part of the cache; nothing may be written beyond it."""
    engine = Engine(float32_engine.model, dataclasses.replace(SIZES, drafts=0), compile_cache())
    await engine.start(warm_up=False)
    run = [{10 + place} for place in range(2 * SIZES.slots)]
    sets = [*run, *[set(range(3, 260))] * 12]
    vocab_size, edge = engine.model.config.vocab_size, SIZES.table_widths[0] * BLOCK
    for length in range(edge - 8, edge + 2):
        one = asked(some_text(length), len(sets), seed=length, temperature=1.0)
        replies = [
            await reply_to(
                engine, dataclasses.replace(one, constraint=Pattern(sets, vocab_size, foresight))
            )
            for foresight in (len(run), 0)
        ]
        forced, free = ([token.id for token in tokens] for tokens, _ in replies)
        assert forced == free, length
    await engine.aclose()


async def test_log_probabilities_are_the_models_own(engine):
    """A mask decides what may be drawn, not what the model thought."""
    free = asked(some_text(30), 1, temperature=0.0, top_logprobs=20)
    (likeliest,), _ = await reply_to(engine, free)
    (drawn,), _ = await reply_to(engine, constrained(engine, free))
    assert drawn.top == likeliest.top
    assert drawn.logprob <= likeliest.logprob


class PanicException(BaseException):  # as pyo3 calls it
    """What a library written in Rust raises when it panics."""


@pytest.mark.parametrize("where", ["masks", "accept"])
async def test_a_grammar_that_panics_is_an_error_of_its_reply(engine, where):
    panic = PanicException("index out of bounds")
    grammar = Broken(SETS, engine.model.config.vocab_size, 5, where, panic)
    with pytest.raises(CompletionError, match="PanicException"):
        await reply_to(engine, dataclasses.replace(asked(some_text(25), 60), constraint=grammar))
    assert not engine.closed
    assert len((await reply_to(engine, asked(some_text(20), 3)))[0]) == 3


@pytest.mark.parametrize("where", ["masks", "accept"])
async def test_a_grammar_that_gives_up_takes_nobody_along(engine, where):
    free = asked(some_text(20), 60, seed=1)
    alone = await reply_to(engine, free)
    failed = engine.stats.failed
    grammar = Broken(SETS, engine.model.config.vocab_size, 9, where)
    bound = dataclasses.replace(asked(some_text(25), 60), constraint=grammar)
    other, error = await asyncio.gather(
        reply_to(engine, free), reply_to(engine, bound), return_exceptions=True
    )
    assert other == alone
    assert isinstance(error, InvalidRequestError)
    assert error.param == "response_format"
    assert engine.stats.failed == failed + 1
    await until(lambda: not engine.stats.active)


@pytest.mark.parametrize("where", ["masks", "accept"])
async def test_nor_does_one_that_breaks(engine, where):
    free = asked(some_text(20), 60, seed=1)
    alone = await reply_to(engine, free)
    broken = Broken(SETS, engine.model.config.vocab_size, 9, where, RuntimeError("a bug"))
    bound = dataclasses.replace(asked(some_text(25), 60), constraint=broken)
    other, error = await asyncio.gather(
        reply_to(engine, free), reply_to(engine, bound), return_exceptions=True
    )
    assert other == alone
    assert isinstance(error, CompletionError)
    assert "RuntimeError" in str(error)
