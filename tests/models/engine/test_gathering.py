"""Many small jobs of one request: a few at a time, in order, patient in a full queue."""

import asyncio

import pytest
from queued_jobs import CHUNK, MadeUpEngine, a_job

from botkit.errors import OverloadedError
from botkit_models.engine.gathering import gather
from botkit_models.engine.job import EmbedJob, Hidden
from botkit_models.engine.stream import EventStream


def texts(count):
    """One prompt chunk each."""

    def maker(place):
        return lambda post: EmbedJob((place,) * CHUNK, post)

    return [maker(place) for place in range(count)]


async def run_by_hand(engine, task):
    """Rounds until the task is done; the most jobs that waited or ran at any time."""
    most = 0
    while not task.done():
        await asyncio.sleep(0)
        most = max(most, len(engine.waiting) + len(engine.runner.opened))
        if engine.busy:
            engine.run(rounds=1)
    return most


async def test_all_come_back_a_few_at_a_time():
    engine = MadeUpEngine(slots=3)
    stream = EventStream(texts(20))
    task = asyncio.create_task(gather(stream, engine.waiting, 3))
    most = await run_by_hand(engine, task)
    assert [type(event) for event in task.result()] == [Hidden] * 20
    assert most == 3
    assert engine.stats.finished == 20


async def test_a_queue_that_others_fill_only_delays_them():
    engine = MadeUpEngine(slots=2, capacity=1)
    stream = EventStream(texts(6))
    task = asyncio.create_task(gather(stream, engine.waiting, 2))
    await asyncio.sleep(0)
    engine.waiting.add([a_job(budget=40)])
    await run_by_hand(engine, task)
    assert len(task.result()) == 6


async def test_a_full_queue_refuses_the_first():
    engine = MadeUpEngine(slots=1, capacity=0)
    engine.waiting.add([a_job()])
    with pytest.raises(OverloadedError):
        await gather(EventStream(texts(3)), engine.waiting, 2)


async def test_who_leaves_lets_all_go():
    engine = MadeUpEngine(slots=2)
    task = asyncio.create_task(gather(EventStream(texts(6)), engine.waiting, 2))
    await asyncio.sleep(0)
    engine.run(rounds=1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    engine.run()
    assert engine.runner.opened == []
    assert engine.stats.started == engine.stats.finished + engine.stats.cancelled
    assert engine.stats.started < 6
