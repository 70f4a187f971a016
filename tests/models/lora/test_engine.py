"""Adapters in the engine: each reply has its own, and no other reply changes for it."""

import asyncio
import dataclasses

import numpy as np
import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from lora_adapters import tiny_adapter
from tiny_models import compile_cache, open_tiny

from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine
from botkit_models.engine.job import Finished
from botkit_models.gpt.cache import BLOCK
from botkit_models.lora.stacked import load_adapters
from botkit_models.weights.convert import convert
from botkit_models.weights.huggingface import read_huggingface
from botkit_models.weights.native import open_native

EVERY = (None, 0, 1)
TEXT = some_text(40)


def wanted(adapter, text=TEXT, budget=12, **params):
    return dataclasses.replace(asked(text, budget, **params), adapter=adapter)


def ids(reply):
    return [token.id for token in reply[0]]


async def cached_of(engine, one):
    async with engine.generate([one]) as stream:
        return [event.savings.cached async for _, event in stream if isinstance(event, Finished)]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_each_reply_is_the_same_alone_and_beside_the_others(adapted, temperature):
    asked_for = [
        wanted(adapter, temperature=temperature, seed=seed) for adapter in EVERY for seed in (1, 2)
    ]
    alone = [await reply_to(adapted, one) for one in asked_for]
    together = await asyncio.gather(*(reply_to(adapted, one) for one in asked_for))
    assert together == alone
    assert len({tuple(ids(reply)) for reply in alone[::2]}) == len(EVERY)


async def test_replies_without_an_adapter_are_those_of_an_engine_that_has_none(adapted, tiny):
    plain = Engine(tiny, SIZES, compile_cache())
    await plain.start(warm_up=False)
    one = wanted(None, temperature=1.0, seed=7)
    assert await reply_to(adapted, one) == await reply_to(plain, one)
    await plain.aclose()


async def test_a_text_that_one_adapter_read_is_new_to_another(adapted):
    text = some_text(3 * BLOCK + 2, seed=9)
    fresh = {adapter: await reply_to(adapted, wanted(adapter, text)) for adapter in EVERY}
    for adapter in EVERY:
        assert await cached_of(adapted, wanted(adapter, text)) == [3 * BLOCK]
        assert await reply_to(adapted, wanted(adapter, text)) == fresh[adapter]
    other = some_text(3 * BLOCK + 2, seed=10)
    for adapter in EVERY:
        assert await cached_of(adapted, wanted(adapter, other)) == [0]


async def test_embeddings_and_scores_are_the_adapters(adapted):
    texts = [TEXT, TEXT[:9]]
    vectors = [await adapted.embed(texts, adapter=adapter) for adapter in EVERY]
    scores = [await adapted.score(texts, adapter=adapter) for adapter in EVERY]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not np.allclose(vectors[one][0], vectors[other][0], atol=1e-3)
        assert scores[one] != scores[other]


async def test_a_reply_is_the_merged_models(tmp_path):
    """Unquantised, so that the merged model's weights are the sum and not a rounding of it."""
    model = open_tiny(tmp_path / "float32", "float32", eos=False)
    tiny = tiny_adapter(rank=4, seed=2)
    adapters = load_adapters(model, {"sales": tiny.write(tmp_path / "sales")})
    engine = Engine(model, SIZES, compile_cache(), adapters)
    checkpoint = read_huggingface(tiny.write_merged(tmp_path / "merged"))
    config = dataclasses.replace(checkpoint.config, max_positions=model.config.max_positions)
    convert(
        dataclasses.replace(checkpoint, config=config, tokenizer=model.tokenizer),
        tmp_path / "served",
        weights="float32",
    )
    merged = Engine(open_native(tmp_path / "served"), SIZES, compile_cache())
    found = await started_reply(engine, wanted(0))
    expected = await started_reply(merged, wanted(None))
    assert ids(found) == ids(expected)
    np.testing.assert_allclose(
        [token.logprob for token in found[0]],
        [token.logprob for token in expected[0]],
        atol=2e-3,
    )


async def started_reply(engine, one):
    await engine.start(warm_up=False)
    reply = await reply_to(engine, one)
    await engine.aclose()
    return reply


async def test_the_warm_up_covers_adapters(tiny, adapter_folders, tmp_path):
    sizes = EngineConfig(slots=1, context=256, chunks=(64,), decode_steps=2, drafts=0)
    engine = Engine(tiny, sizes, tmp_path / "compiled", load_adapters(tiny, adapter_folders))
    engine.warm_up()  # in a process of its own; returns when it is through
    assert engine.programs.complete
    await engine.start(warm_up=False)
    for adapter in EVERY:
        await reply_to(engine, wanted(adapter, budget=3))
    assert engine.programs.compiled == 0
    await engine.aclose()
