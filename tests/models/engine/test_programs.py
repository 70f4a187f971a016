"""Nothing is compiled while requests are answered, once the warm-up is through."""

import asyncio
import dataclasses

import jax
import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from tiny_models import compile_cache, open_tiny
from waiting import until

from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine
from botkit_models.engine.programs import use_compilation_cache

COMPILED = "/jax/core/compile/backend_compile_duration"
MISSED = "/jax/compilation_cache/cache_misses"


class Compilations:
    """Counts what JAX reports: programs it built or loaded, and those it had to build."""

    def __init__(self):
        self.built_or_loaded = self.built = 0

    def on_duration(self, event, seconds, **kwargs):
        self.built_or_loaded += event == COMPILED

    def on_event(self, event, **kwargs):
        self.built += event == MISSED


@pytest.fixture
def compilations():
    counter = Compilations()
    jax.monitoring.register_event_duration_secs_listener(counter.on_duration)
    jax.monitoring.register_event_listener(counter.on_event)
    yield counter
    jax.monitoring.unregister_event_duration_listener(counter.on_duration)
    jax.monitoring.unregister_event_listener(counter.on_event)


async def mixed_load(engine):
    """Prompts and replies of every kind that reach every program."""
    lengths = [one for one in (1, 5, 64, 65, 200, 257, 450) if one < engine.limit - 12]
    replies = [
        asked(some_text(length), 12, seed=length, frequency_penalty=0.5, top_p=0.9)
        for length in lengths
    ]
    replies += [asked(some_text(230), engine.limit - 230, top_logprobs=None)]
    await asyncio.gather(
        *(reply_to(engine, one) for one in replies),
        engine.embed([some_text(length) for length in lengths]),
        engine.score([some_text(length) for length in lengths], 5),
    )


async def test_every_reachable_program_is_enough_for_any_load(tmp_path, compilations):
    """With everything loaded, no operation is compiled or even loaded, not the smallest."""
    use_compilation_cache(compile_cache())
    sizes = dataclasses.replace(SIZES, slots=2, queue=32)
    engine = Engine(open_tiny(tmp_path / "tiny", "int8", eos=False), sizes)
    for key in engine.programs.reachable():
        engine.programs.load(key)
    loaded = engine.programs.loaded
    assert loaded == len(list(engine.programs.reachable()))
    assert compilations.built_or_loaded >= loaded  # the counter counts
    await engine.start(warm_up=False)
    try:
        compilations.built_or_loaded = 0
        await mixed_load(engine)
        assert compilations.built_or_loaded == 0
        assert engine.programs.loaded == loaded
    finally:
        await engine.aclose()


async def test_after_the_warm_up_programs_come_from_disk(tmp_path, compilations):
    """Few programs stay in memory; the others are loaded again, never compiled again."""
    use_compilation_cache(compile_cache())
    sizes = EngineConfig(slots=1, context=256, queue=32, resident_programs=2, decode_steps=3)
    model = open_tiny(tmp_path / "tiny", "int8", eos=False)
    engine = Engine(model, sizes)
    assert not engine.programs.complete
    await engine.start()
    try:
        await until(lambda: engine.programs.complete, within=200)
        assert compilations.built > 0
        compilations.built = 0
        await mixed_load(engine)
        assert compilations.built == 0
    finally:
        await engine.aclose()
    again = Engine(model, sizes)  # the next process finds the ledger
    assert again.programs.complete


async def test_closing_stops_the_warm_up(tmp_path):
    use_compilation_cache(compile_cache())
    sizes = dataclasses.replace(SIZES, slots=2, context=4096, decode_steps=5)
    engine = Engine(open_tiny(tmp_path / "tiny", "int8"), sizes)
    await engine.start()
    async with asyncio.timeout(60):
        await engine.aclose()
    assert not engine.programs.complete
    assert not engine._warm_up.is_alive()


async def test_a_program_that_cannot_be_compiled_is_tried_again(tmp_path, monkeypatch):
    use_compilation_cache(compile_cache())
    engine = Engine(open_tiny(tmp_path / "tiny", "int8"), dataclasses.replace(SIZES, slots=1))
    with monkeypatch.context() as patch:
        patch.setattr(jax, "jit", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.programs.load(("empty", 256, 0))
    assert engine.programs.loaded == 0
    engine.programs.load(("empty", 256, 0))
    assert engine.programs.loaded == 1
