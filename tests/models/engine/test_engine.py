"""Jobs come, run, end, are let go and fail, each without touching the others."""

import asyncio
import dataclasses
import functools
import threading

import jax
import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from tiny_models import CONTEXT, compile_cache, open_tiny
from waiting import until

from botkit.errors import CompletionError, CompletionUnavailableError, OverloadedError
from botkit_models.engine.engine import Engine
from botkit_models.engine.job import Finished, Tokens

LONG = 400  # tokens: far more dispatches than any test waits for


async def idle(engine):
    await until(lambda: not engine.stats.active)


# --- how replies end


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 5, 11])
async def test_a_reply_has_its_budget(engine, budget):
    tokens, reason = await reply_to(engine, asked(some_text(10), budget))
    assert (len(tokens), reason) == (budget, "length")


@pytest.mark.parametrize("length", [1, 250, 500, 511])
async def test_a_reply_may_fill_the_context(engine, length):
    tokens, reason = await reply_to(engine, asked(some_text(length), CONTEXT - length))
    assert (len(tokens), reason) == (CONTEXT - length, "length")


async def test_an_end_of_turn_token_ends_the_reply(engine):
    """The third token of a greedy reply becomes the end: it is the last that is written."""
    wanted = asked(some_text(30), 40, temperature=0.0)
    tokens, _ = await reply_to(engine, wanted)
    end = next(token.id for token in tokens if token.id not in {one.id for one in tokens[:2]})
    place = [token.id for token in tokens].index(end)
    spec = dataclasses.replace(engine.model.tokenizer, eos_ids=(end, 1))
    other = Engine(dataclasses.replace(engine.model, tokenizer=spec), SIZES, compile_cache())
    await other.start(warm_up=False)
    try:
        assert await reply_to(other, wanted) == (tokens[: place + 1], "stop")
        cut = dataclasses.replace(wanted, budget=place)
        assert await reply_to(other, cut) == (tokens[:place], "length")
        last = dataclasses.replace(wanted, budget=place + 1)
        assert (await reply_to(other, last))[1] == "stop"
    finally:
        await other.aclose()


async def test_only_those_who_ask_get_logprobs(engine):
    plain, _ = await reply_to(engine, asked(some_text(10), 3, top_logprobs=None))
    assert all(token.logprob is None and token.top == () for token in plain)
    none, _ = await reply_to(engine, asked(some_text(10), 3, top_logprobs=0))
    assert all(token.logprob < 0 and token.top == () for token in none)
    assert [token.id for token in plain] == [token.id for token in none]


# --- several at once


async def test_one_stream_carries_several_replies(engine):
    wanted = [asked(some_text(20 + place), 5 + place, seed=place) for place in range(3)]
    alone = [await reply_to(engine, one) for one in wanted]
    found = [[], [], []]
    ends = {}
    async with engine.generate(wanted) as stream:
        async for index, event in stream:
            assert index not in ends
            if isinstance(event, Tokens):
                found[index] += event.tokens
            if isinstance(event, Finished):
                ends[index] = event.reason
    assert list(zip(found, [ends[place] for place in range(3)], strict=True)) == alone


async def test_twenty_streams_all_finish(engine):
    large = Engine(engine.model, dataclasses.replace(SIZES, queue=64), compile_cache())
    await large.start(warm_up=False)
    try:
        wanted = [asked(some_text(5 + 7 * place), 20, seed=place) for place in range(20)]
        replies = await asyncio.gather(*(reply_to(large, one) for one in wanted))
        assert [len(tokens) for tokens, _ in replies] == [20] * 20
        await until(lambda: large.stats.finished == 20)
        assert large.stats.started == 20
        assert large.stats.reply_tokens == 400
    finally:
        await large.aclose()


async def test_a_long_prompt_does_not_stop_the_others(engine):
    """A reply goes on while another prompt's chunks are read: one chunk per dispatch."""
    await idle(engine)
    async with engine.generate([asked(some_text(10), LONG)]) as stream:
        await anext(stream)
        before = engine.stats.read_dispatches, engine.stats.decode_dispatches
        await reply_to(engine, asked(some_text(400), 1))
        chunks = engine.stats.read_dispatches - before[0]
        assert chunks >= 2
        assert engine.stats.decode_dispatches - before[1] >= chunks
    await idle(engine)


async def test_first_come_first_served(engine):
    order = []

    async def one(place):
        await reply_to(engine, asked(some_text(10, seed=place), 8))
        order.append(place)

    async with engine.generate([asked(some_text(10), 24)] * SIZES.slots) as stream:
        await anext(stream)
        tasks = []
        for place in range(SIZES.queue):
            tasks.append(asyncio.create_task(one(place)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
    assert [place // SIZES.slots for place in order] == [0] * 4 + [1] * 4


async def test_a_full_queue_says_when_to_come_back(engine):
    await idle(engine)
    many = [asked(some_text(10), LONG)] * (SIZES.slots + SIZES.queue)
    async with engine.generate(many) as stream:
        with pytest.raises(OverloadedError) as refused:
            async with engine.generate([asked(some_text(10), 1)]):
                pass
        assert refused.value.retry_after >= 1
        assert refused.value.status == 429
        await anext(stream)
    await idle(engine)
    assert len((await reply_to(engine, asked(some_text(10), 3)))[0]) == 3


# --- letting go


async def test_leaving_the_context_frees_the_slot_within_a_dispatch(engine):
    await idle(engine)
    before = engine.stats.cancelled
    async with engine.generate([asked(some_text(10), LONG)]) as stream:
        await anext(stream)
    dispatches = engine.stats.decode_dispatches
    await until(lambda: engine.stats.cancelled == before + 1)
    assert engine.stats.decode_dispatches - dispatches <= 1
    assert engine.stats.active == 0
    await asyncio.sleep(0.05)
    assert engine.stats.decode_dispatches - dispatches <= 1


async def test_cancelling_a_task_frees_the_slot_and_spares_the_others(engine):
    wanted = asked(some_text(33), 50, seed=3)
    alone = await reply_to(engine, wanted)
    await idle(engine)
    before = engine.stats.cancelled
    task = asyncio.create_task(reply_to(engine, asked(some_text(10), LONG)))
    other = asyncio.create_task(reply_to(engine, wanted))
    await until(lambda: engine.stats.active == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await other == alone
    await until(lambda: engine.stats.cancelled == before + 1)


async def test_the_load_tells_what_runs_and_what_waits(engine):
    await idle(engine)
    before = engine.load
    assert (before.slots, before.running, before.interactive, before.batch) == (
        SIZES.slots,
        0,
        0,
        0,
    )
    assert before.cache == 0
    many = [asked(some_text(10 + place), LONG) for place in range(SIZES.slots + 3)]
    async with engine.generate(many) as stream:
        await anext(stream)
        await until(lambda: engine.load.running == SIZES.slots)
        during = engine.load
        assert (during.interactive, during.batch) == (3, 0)
        assert 0 < during.cache < 1
    await idle(engine)
    assert (engine.load.running, engine.load.interactive, engine.load.cache) == (0, 0, 0)


async def test_one_reply_of_several_can_be_stopped(engine):
    wanted = [asked(some_text(10), LONG), asked(some_text(12), 16)]
    seen = set()
    async with engine.generate(wanted) as stream:
        async for index, event in stream:
            stream.stop(0)
            seen.add((index, type(event)))
    assert (1, Finished) in seen
    assert (0, Finished) not in seen
    await idle(engine)


async def test_what_was_let_go_while_waiting_never_starts(engine):
    await idle(engine)
    started = engine.stats.started
    async with engine.generate([asked(some_text(10), LONG)] * SIZES.slots) as stream:
        await anext(stream)
        async with engine.generate([asked(some_text(10), LONG)]):
            pass
        task = asyncio.create_task(reply_to(engine, asked(some_text(10), 2)))
        stream.stop(0)
        assert len((await task)[0]) == 2
    assert engine.stats.started == started + SIZES.slots + 1
    await idle(engine)


# --- failing and closing


@pytest.mark.parametrize("kind", ["decode", "read"])
async def test_a_dispatch_that_fails_takes_its_jobs_along_and_no_more(engine, monkeypatch, kind):
    """The failing program eats its donated caches first, as a real one may."""
    wanted = asked(some_text(100), 20)
    alone = await reply_to(engine, wanted)
    await idle(engine)

    def failing(*key, **variant):
        def program(*arguments):
            for array in jax.tree.leaves(arguments[1:2]):
                array.delete()
            raise RuntimeError("out of memory")

        return program

    failed = engine.stats.failed
    with monkeypatch.context() as patch:
        patch.setattr(engine.programs, kind, failing)
        with pytest.raises(CompletionError, match="RuntimeError") as error:
            await reply_to(engine, wanted)
        assert error.value.status == 500
        replies = await asyncio.gather(
            *[reply_to(engine, wanted) for _ in range(3)], return_exceptions=True
        )
        assert [type(one) for one in replies] == [CompletionError] * 3
    assert engine.stats.failed == failed + 4
    assert await asyncio.gather(*[reply_to(engine, wanted) for _ in range(3)]) == [alone] * 3


async def test_replies_after_a_failed_dispatch_are_the_same(engine, monkeypatch):
    """What was in the cache is lost with the dispatch; nothing of it may be taken over."""
    wanted = [asked(some_text(20), 60, seed=place) for place in range(3)]
    alone = [await reply_to(engine, one) for one in wanted]
    real, eaten = engine.programs.decode, []

    def failing(rows, length, **variant):
        def program(*arguments):
            if rows == 1:
                return real(rows, length, **variant)(*arguments)
            for array in jax.tree.leaves(arguments[1]):
                array.delete()
            eaten.append(rows)
            raise RuntimeError("out of memory")

        return program

    with monkeypatch.context() as patch:
        patch.setattr(engine.programs, "decode", failing)
        replies = await asyncio.gather(
            *map(functools.partial(reply_to, engine), wanted), return_exceptions=True
        )
        assert CompletionError in [type(one) for one in replies]
        assert eaten
    assert list(await asyncio.gather(*map(functools.partial(reply_to, engine), wanted))) == alone


async def test_closing_fails_what_runs_and_what_waits(engine):
    other = Engine(engine.model, SIZES, compile_cache())
    await other.start(warm_up=False)
    tasks = [
        asyncio.create_task(reply_to(other, asked(some_text(10), LONG)))
        for _ in range(SIZES.slots + 2)
    ]
    await until(lambda: other.stats.active == SIZES.slots)
    async with asyncio.timeout(20):
        await other.aclose()
    replies = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in replies] == [CompletionUnavailableError] * len(tasks)
    assert other.stats.failed == SIZES.slots
    assert other.stats.active == 0
    assert not [t for t in threading.enumerate() if t is other._scheduler._thread]
    with pytest.raises(CompletionUnavailableError):
        await reply_to(other, asked(some_text(10), 1))
    await other.aclose()


async def test_an_engine_that_never_started_can_be_closed(engine):
    other = Engine(engine.model, SIZES, compile_cache())
    async with asyncio.timeout(20):
        await other.aclose()


# --- other families


@pytest.mark.parametrize("family", ["gpt2", "qwen3", "gemma2"])
async def test_norms_windows_and_learned_positions_keep_every_bit(tmp_path, family):
    """The context is the model's where that is shorter; the reply is still reproducible."""
    model = open_tiny(tmp_path / family, "int8", family=family, eos=False)
    other = Engine(model, dataclasses.replace(SIZES, slots=2, context=256))
    assert other.limit == (64 if family == "gpt2" else 256)
    await other.start(warm_up=False)
    try:
        wanted = asked(some_text(20), 40, seed=5)
        alone = await reply_to(other, wanted)
        both = await asyncio.gather(
            reply_to(other, wanted), reply_to(other, asked(some_text(9), 50))
        )
        assert both[0] == alone
        assert len(alone[0]) == 40
    finally:
        await other.aclose()
