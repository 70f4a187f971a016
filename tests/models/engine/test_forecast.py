"""What is said about the time that work will take, held against the time it takes."""

import random
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queued_jobs import MadeUpEngine, MadeUpRunner, a_job

from botkit.errors import OverloadedError
from botkit_models.engine.forecast import Forecast, starts

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def seen(replies):
    """A forecast after replies of ``(tokens, budget)``; the first guess is long forgotten."""
    forecast = Forecast()
    for written, budget in replies * (100 // len(replies) + 1):
        job = a_job(budget=budget)
        job.read, job.written = 1, written
        forecast.ended(job)
    return forecast


# --- how long a reply will be


def test_a_reply_is_expected_to_be_as_long_as_the_last_ones():
    forecast = seen([(10, 1000), (30, 1000)])
    assert forecast.reply_tokens(1000) == pytest.approx(20, rel=0.05)
    assert forecast.reply_tokens(20) == pytest.approx(15, rel=0.05)
    assert forecast.reply_tokens(5) == 5
    assert forecast.reply_tokens(0) == 0


def test_replies_that_a_budget_cut_short_say_only_at_least():
    """Half of the replies are cut off at 10; the others show that half of all go on to 100."""
    forecast = seen([(10, 10), (10, 10), (10, 10), (100, 500)])
    assert forecast.reply_tokens(500) == pytest.approx(100, rel=0.01)
    assert forecast.reply_tokens(10) == 10


def test_what_is_written_already_is_counted_in():
    forecast = seen([(10, 1000), (30, 1000)])
    assert forecast.reply_tokens(1000, written=15) == pytest.approx(15, abs=1)
    # Longer than all before: as long again, but never more than the budget.
    assert forecast.reply_tokens(1000, written=40) == 40
    assert forecast.reply_tokens(5, written=40) == 5


@calm
@given(
    replies=st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=80),
    budget=st.integers(0, 2000),
    written=st.integers(0, 600),
)
def test_no_expectation_leaves_the_budget(replies, budget, written):
    forecast = Forecast()
    for length, complete in replies:
        job = a_job(budget=length + complete)
        job.read, job.written = 1, length
        forecast.ended(job)
    assert 0 <= forecast.reply_tokens(budget, written) <= budget


# --- how much there is to be read


def test_what_the_cache_holds_need_not_be_read():
    forecast = Forecast()
    for _ in range(200):
        forecast.reading.add(100, 1.0)
        job = a_job(length=1000)
        job.read = 250
        forecast.ended(job)
    assert forecast.work(a_job(length=2000, budget=0)) == pytest.approx(5, rel=0.02)


# --- when slots are free


def test_jobs_share_the_engine():
    assert starts([], [1.0, 1.0], slots=2) == [0.0, 0.0]
    assert starts([1.0, 3.0], [5.0, 5.0], slots=2) == pytest.approx([2.0, 6.0])
    assert starts([2.0], [2.0, 2.0], slots=1) == [2.0, 4.0]


@calm
@given(
    running=st.lists(st.floats(0, 10), max_size=8),
    waiting=st.lists(st.floats(0, 10), max_size=20),
    slots=st.integers(1, 8),
)
def test_starts_grow_and_end_with_the_work(running, waiting, slots):
    found = starts(running[:slots], waiting, slots)
    assert found == sorted(found)
    assert all(at <= sum(running) + sum(waiting) + 1e-6 for at in found)


# --- Retry-After against what happens


def any_job(rng, runner):
    """A prompt of up to eight chunks; most replies end long before their budget."""
    job = a_job(length=rng.randint(1, 500), budget=rng.choice([16, 64, 400, 1500]))
    natural = min(int(rng.expovariate(1 / 80)) + 1, 1500)
    runner.lengths[id(job)] = min(natural, job.budget)
    return job


def refused_and_room_after(engine, make, rng):
    """What a refused client is told, and when there is room for it in truth."""
    while True:
        try:
            engine.waiting.add([make()])
        except OverloadedError as error:
            told, began = error.retry_after, engine.runner.now
            break
    job = make()
    while True:
        engine.run(rounds=1)
        try:
            engine.waiting.add([job])
        except OverloadedError:
            continue
        return told, engine.runner.now - began


@pytest.mark.parametrize(("slots", "speed"), [(1, 1.0), (4, 1.0), (4, 25.0), (8, 1.0)])
def test_retry_after_is_near_the_truth_over_many_refusals(slots, speed):
    """One place comes free: that depends on one reply's length, which nobody knows; over many
    refusals the time told is the time it takes."""
    rng = random.Random(slots)
    runner = MadeUpRunner(read_seconds=0.2 * speed, decode_seconds=0.5 * speed)
    engine = MadeUpEngine(slots=slots, capacity=16, runner=runner)

    def make():
        return any_job(rng, runner)

    pairs = [refused_and_room_after(engine, make, rng) for _ in range(140)][40:]
    told, truth = (sum(values) for values in zip(*pairs, strict=True))
    assert 0.6 < told / truth < 1.7


@pytest.mark.parametrize("slots", [1, 4, 8])
def test_the_wait_of_a_deadline_is_near_the_truth(slots):
    """How long the last of a full queue waits for its slot: many replies' lengths even out."""
    rng = random.Random(slots)
    runner = MadeUpRunner(read_seconds=0.2, decode_seconds=0.5)
    engine = MadeUpEngine(slots=slots, capacity=64, runner=runner)
    ratios = []
    for _ in range(12):
        while len(engine.waiting) < 32:
            engine.waiting.add([any_job(rng, runner)])
            if len(runner.opened) < slots:
                engine.run(rounds=1)
        began = runner.now
        with pytest.raises(OverloadedError) as refused:
            engine.waiting.add([a_job(deadline=began)])
        last = any_job(rng, runner)
        engine.waiting._queues["interactive"].add([last])
        while not any(slot.job is last for slot in runner.opened):
            engine.run(rounds=1)
        ratios.append(refused.value.retry_after / (runner.now - began))
    ratios = ratios[2:]
    assert 0.7 < median(ratios) < 1.5
    assert min(ratios) > 0.4
    assert max(ratios) < 2.5


def test_batch_work_is_told_that_others_go_first():
    engine = MadeUpEngine(slots=2, capacity=16, runner=MadeUpRunner(decode_seconds=5.0))
    for _ in range(60):
        engine.waiting.add([a_job(budget=40)])
        engine.run()
    told = []
    for crowd in (0, 16):
        engine.waiting.add([a_job(budget=40) for _ in range(2 + crowd)])
        engine.run(rounds=1)
        engine.waiting.add([a_job(budget=40, priority="batch") for _ in range(16)])
        with pytest.raises(OverloadedError) as refused:
            engine.waiting.add([a_job(budget=40, priority="batch")])
        told.append(refused.value.retry_after)
        engine.run()
    assert told[1] > 4 * told[0]


def test_a_client_is_never_told_to_come_back_at_once():
    engine = MadeUpEngine(
        slots=1, capacity=0, runner=MadeUpRunner(read_seconds=0, decode_seconds=0)
    )
    for _ in range(50):
        engine.waiting.add([a_job(budget=8)])
        engine.run()
    engine.waiting.add([a_job()])
    with pytest.raises(OverloadedError) as refused:
        engine.waiting.add([a_job()])
    assert refused.value.retry_after == 1.0
