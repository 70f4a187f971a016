"""Nothing is compiled while requests are answered, once the warm-up is through."""

import asyncio
import dataclasses
import os
import signal
import threading
import time

import jax
import pytest
from engine_replies import SIZES, asked, reply_to, some_text
from tiny_models import open_tiny
from waiting import until

from botkit.errors import CompletionUnavailableError
from botkit_models.engine.compiler import CompilerProcess, Order
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Engine

COMPILED = "/jax/core/compile/backend_compile_duration"
TRACED = "/jax/core/compile/jaxpr_trace_duration"
SMALL = EngineConfig(slots=1, context=256, queue=32, decode_steps=3, drafts=3)
WIDTH = SMALL.table_width
SCORE = ("score", 64, 0)  # the quickest to compile


class Compilations:
    """Counts what JAX reports: functions that it traced, and programs that it compiled."""

    def __init__(self):
        self.traced = self.built = 0

    def on_duration(self, event, seconds, **kwargs):
        self.traced += event == TRACED
        self.built += event == COMPILED


@pytest.fixture
def compilations():
    counter = Compilations()
    jax.monitoring.register_event_duration_secs_listener(counter.on_duration)
    yield counter
    jax.monitoring.unregister_event_duration_listener(counter.on_duration)


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


@pytest.mark.timeout(900)
async def test_every_reachable_program_is_enough_for_any_load(tmp_path, compilations):
    """With everything loaded, no operation is compiled or even traced, not the smallest.

    One round of a mixed load; with BOTKIT_SOAK_LOAD, rounds for that many seconds.
    """
    sizes = dataclasses.replace(SIZES, slots=2, queue=32)
    engine = Engine(open_tiny(tmp_path / "tiny", "int8", eos=False), sizes)
    for key in engine.programs.reachable():
        engine.programs.load(key)
    loaded = engine.programs.loaded
    assert loaded == len(list(engine.programs.reachable()))
    assert compilations.built >= loaded  # the counter counts
    assert compilations.traced >= loaded
    await engine.start(warm_up=False)
    try:
        compilations.built = compilations.traced = 0
        until_then = time.monotonic() + float(os.environ.get("BOTKIT_SOAK_LOAD", "0"))
        await mixed_load(engine)
        while time.monotonic() < until_then:
            await mixed_load(engine)
        assert (compilations.built, compilations.traced) == (0, 0)
        assert engine.programs.loaded == loaded
    finally:
        await engine.aclose()


async def test_after_the_warm_up_programs_come_from_disk(tmp_path, compilations):
    """They are loaded, never traced or compiled here."""
    model = open_tiny(tmp_path / "tiny", "int8", eos=False)
    engine = Engine(model, SMALL, tmp_path / "compiled")
    assert not engine.programs.complete
    await engine.start()
    try:
        assert compilations.built > 0  # what the first question needs
        await until(lambda: engine.programs.complete, within=200)
        compilations.built = compilations.traced = 0
        await mixed_load(engine)
        assert (compilations.built, compilations.traced) == (0, 0)
    finally:
        await engine.aclose()
    again = Engine(model, SMALL, tmp_path / "compiled")
    assert again.programs.complete
    await again.start()
    try:
        assert (compilations.built, compilations.traced) == (0, 0)
    finally:
        await again.aclose()


async def test_a_program_from_disk_writes_the_same(tmp_path):
    model = open_tiny(tmp_path / "tiny", "int8", eos=False)
    wanted = asked(some_text(30), 12, seed=3, top_logprobs=5)
    replies = []
    for _ in range(2):
        engine = Engine(model, SMALL, tmp_path / "compiled")
        await engine.start(warm_up=False)
        replies.append(await reply_to(engine, wanted))
        await engine.aclose()
    assert replies[0] == replies[1]


async def test_a_wanted_program_is_compiled_next(tmp_path):
    """The last in the process's order, asked for while the process runs, comes early."""
    sizes = dataclasses.replace(SMALL, slots=16)
    engine = Engine(open_tiny(tmp_path / "tiny", "int8"), sizes, tmp_path / "compiled")
    await engine.start()
    try:
        await until(lambda: engine.programs._compiler is not None)
        last = list(engine.programs.reachable())[-1]
        await asyncio.to_thread(engine.programs.load, last)
        assert not engine.programs.complete
    finally:
        await engine.aclose()


async def test_while_a_batch_program_is_compiled_single_ones_do_its_work(tmp_path):
    """The replies come before the program does, and are the same as with it."""
    model = open_tiny(tmp_path / "tiny", "int8", eos=False)
    sizes = dataclasses.replace(SMALL, slots=4)
    wanted = [asked(some_text(30), 9, seed=seed) for seed in range(3)]
    engine = Engine(model, sizes, tmp_path / "compiled")
    await engine.start()
    try:
        await until(lambda: engine.programs._compiler is not None)
        early = await asyncio.gather(*(reply_to(engine, one) for one in wanted))
        assert ("decode", 4, WIDTH) not in engine.programs._programs
        await until(lambda: engine.programs.complete, within=200)
        late = await asyncio.gather(*(reply_to(engine, one) for one in wanted))
        assert ("decode", 4, WIDTH) in engine.programs._programs
        assert early == late
    finally:
        await engine.aclose()


async def test_a_killed_compiler_is_missed_by_nobody(tmp_path, caplog):
    """What it did not get to is compiled when it is needed."""
    engine = Engine(open_tiny(tmp_path / "tiny", "int8", eos=False), SMALL, tmp_path / "compiled")
    await engine.start()
    try:
        await until(lambda: engine.programs._compiler is not None)
        os.kill(engine.programs._compiler._process.pid, signal.SIGKILL)
        tokens, reason = await reply_to(engine, asked(some_text(200), 5))
        assert (len(tokens), reason) == (5, "length")
        await until(lambda: "were not compiled (the process ended with -9)" in caplog.text)
    finally:
        await engine.aclose()


def test_one_program_that_cannot_be_compiled_keeps_no_other_from_it(tmp_path):
    model = open_tiny(tmp_path / "tiny", "int8")
    programs = Engine(model, SMALL, tmp_path / "compiled").programs
    wrong = ("nothing", 1, 1)
    folder = str(tmp_path / "compiled")
    order = Order(str(model.folder), model.tokenizer.eos_ids, SMALL, folder, (wrong, SCORE))
    process = CompilerProcess(order)
    process.follow()
    assert process.exit_code == 0
    assert not process.pending(wrong)
    assert SCORE in programs._shelf


async def test_a_damaged_program_is_compiled_again(tmp_path, compilations):
    model = open_tiny(tmp_path / "tiny", "int8")
    Engine(model, SMALL, tmp_path / "compiled").programs.load(SCORE)
    (kept,) = (tmp_path / "compiled").rglob("score-64-*")
    kept.write_bytes(kept.read_bytes()[:100])
    compilations.built = 0
    Engine(model, SMALL, tmp_path / "compiled").programs.load(SCORE)
    assert compilations.built == 1
    Engine(model, SMALL, tmp_path / "compiled").programs.load(SCORE)
    assert compilations.built == 1


async def test_other_sizes_find_no_programs(tmp_path):
    model = open_tiny(tmp_path / "tiny", "int8")
    engine = Engine(model, SMALL, tmp_path / "compiled")
    engine.programs.load(SCORE)
    assert SCORE in engine.programs._shelf
    other = Engine(model, dataclasses.replace(SMALL, decode_steps=2), tmp_path / "compiled")
    assert SCORE not in other.programs._shelf


async def test_closing_stops_the_warm_up(tmp_path):
    sizes = dataclasses.replace(SIZES, slots=64, decode_steps=5)
    engine = Engine(open_tiny(tmp_path / "tiny", "int8"), sizes, tmp_path / "compiled")
    await engine.start()
    async with asyncio.timeout(60):
        await engine.aclose()
    assert not engine.programs.complete
    assert "botkit-warm-up" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(CompletionUnavailableError):
        engine.programs.load(list(engine.programs.reachable())[-1])


async def test_a_program_that_cannot_be_compiled_is_tried_again(tmp_path, monkeypatch):
    engine = Engine(open_tiny(tmp_path / "tiny", "int8"), dataclasses.replace(SIZES, slots=1))
    with monkeypatch.context() as patch:
        patch.setattr(jax, "jit", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.programs.load(SCORE)
    assert engine.programs.loaded == 0
    engine.programs.load(SCORE)
    assert engine.programs.loaded == 1
