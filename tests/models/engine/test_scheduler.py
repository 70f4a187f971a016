"""Which dispatch comes when, and that every slot comes back, on a clock that is made up."""

import random
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queued_jobs import CHUNK, STEPS, MadeUpEngine, a_job

from botkit.errors import DeadlineExceededError, OverloadedError
from botkit_models.engine.job import EmbedJob, Failed, Finished, Tokens


def jobs_of(engine, kind):
    return [jobs[0] for one, jobs in engine.runner.log if one == kind]


def reads(engine):
    return jobs_of(engine, "read")


# --- reading and writing in turn


def test_one_chunk_is_read_per_round_and_everyone_writes():
    engine = MadeUpEngine(slots=4)
    writer = a_job(length=1, budget=100)
    engine.waiting.add([writer])
    engine.run(rounds=2)
    engine.waiting.add([a_job(length=5 * CHUNK, budget=1)])
    engine.runner.log.clear()
    engine.run(rounds=5)
    assert [kind for kind, _ in engine.runner.log] == ["open", *["read", "decode"] * 5]
    assert all(writer in jobs for kind, jobs in engine.runner.log if kind == "decode")


def test_a_short_prompt_is_read_beside_a_long_one():
    engine = MadeUpEngine(slots=4)
    long, short = a_job(length=20 * CHUNK), a_job(length=CHUNK)
    engine.waiting.add([long])
    engine.run(rounds=3)
    engine.waiting.add([short])
    engine.runner.log.clear()
    engine.run(rounds=2)
    assert short in reads(engine)


def test_short_prompts_do_not_starve_a_long_one():
    engine = MadeUpEngine(slots=4)
    long = a_job(length=20 * CHUNK)
    engine.waiting.add([long])
    engine.run(rounds=1)
    for _ in range(60):
        if not engine.waiting.empty or long.written:
            break
        engine.waiting.add([a_job(length=2 * CHUNK)])
        engine.run(rounds=1)
    engine.run(rounds=42)
    assert reads(engine)[:41].count(long) == 20


def test_batch_prompts_are_read_after_interactive_ones_but_are_read():
    engine = MadeUpEngine(slots=4)
    batch, interactive = a_job(length=3 * CHUNK, priority="batch"), a_job(length=30 * CHUNK)
    engine.waiting.add([batch])
    engine.waiting.add([interactive])
    engine.run()
    assert reads(engine).index(interactive) == 0
    assert [one is batch for one in reads(engine)[:24]].count(True) == 3


def test_equal_prompts_have_a_fair_time_to_the_first_token():
    """200 at once: the last 1 % wait no more than three times as long as the median."""
    engine = MadeUpEngine(slots=8, capacity=200)
    first: dict[int, float] = {}

    def noting(place):
        def post(event):
            if isinstance(event, Tokens):
                first.setdefault(place, engine.runner.now)

        return post

    some = [a_job(length=4 * CHUNK, budget=24) for _ in range(200)]
    for place, job in enumerate(some):
        job.post = noting(place)
    engine.waiting.add(some)
    engine.run()
    times = sorted(first.values())
    assert len(times) == 200
    assert times[197] <= 3 * median(times)
    assert [place for place, _ in sorted(first.items(), key=lambda one: one[1])] == list(range(200))


# --- deadlines


def test_a_reply_that_is_late_stops_within_a_dispatch():
    events, others = [], []
    engine = MadeUpEngine(slots=2)
    engine.waiting.add([a_job(budget=1000, deadline=1.0, events=events)])
    engine.waiting.add([a_job(budget=100, events=others)])
    engine.run()
    assert isinstance(events[-1].error, DeadlineExceededError)
    written = sum(len(event.tokens) for event in events[:-1])
    # The clock was at most one read and one decode past the deadline.
    assert written <= STEPS * (1 + 1.0 / engine.runner.decode_seconds)
    assert others[-1] == Finished("length")
    assert (engine.stats.failed, engine.stats.expired, engine.stats.finished) == (1, 1, 1)


def test_who_is_cancelled_while_a_prompt_is_read_is_not_written_for():
    engine = MadeUpEngine(slots=2)
    job = a_job(budget=1000)
    engine.waiting.add([job])
    engine.run(rounds=2)
    engine.waiting.add([a_job(length=4 * CHUNK)])
    read = engine.runner.read
    with pytest.MonkeyPatch.context() as patch:

        def read_meanwhile(slot):
            job.cancelled.set()
            return read(slot)

        patch.setattr(engine.runner, "read", read_meanwhile)
        written = job.written
        engine.run(rounds=1)
    assert job.written == written
    assert engine.stats.cancelled == 1


def test_what_a_dispatch_wrote_is_kept_though_the_next_fails():
    engine = MadeUpEngine(slots=2)
    first, second = [], []
    engine.waiting.add([a_job(budget=STEPS, events=first)])
    engine.waiting.add([a_job(budget=100, events=second)])
    decode = engine.runner.decode
    with pytest.MonkeyPatch.context() as patch:

        def decode_once(slots):
            yield from decode(slots[:1])
            raise RuntimeError("out of memory")

        patch.setattr(engine.runner, "decode", decode_once)
        engine.run(rounds=2)
    assert first[-1] == Finished("length")
    assert isinstance(second[-1], Failed)


def test_a_program_that_had_to_be_compiled_says_nothing_of_the_pace():
    engine = MadeUpEngine(slots=1)
    before = engine.waiting.forecast.writing.seconds
    decode = engine.runner.decode
    with pytest.MonkeyPatch.context() as patch:

        def compile_first(slots):
            engine.runner.now += 60.0
            engine.stats.preparing += 60.0
            return decode(slots)

        patch.setattr(engine.runner, "decode", compile_first)
        engine.waiting.add([a_job(budget=STEPS)])
        engine.run()
    assert engine.stats.finished == 1
    assert engine.waiting.forecast.writing.seconds < 2 * before


def test_who_waits_too_long_is_told_so_without_having_started():
    events = []
    engine = MadeUpEngine(slots=1)
    # A short reply is expected; this one is long.
    for _ in range(100):
        engine.waiting.add([a_job(budget=1000)])
        engine.runner.lengths = {id(job): 4 for job in engine.waiting._starts([])[0][:1]}
        engine.run()
    started = engine.stats.started
    engine.waiting.add([a_job(budget=1000)])
    engine.run(rounds=1)
    now = engine.runner.now
    engine.waiting.add([a_job(budget=8, deadline=now + 5, events=events)])
    engine.run()
    assert [type(event.error) for event in events] == [DeadlineExceededError]
    assert engine.stats.started == started + 1
    assert engine.stats.expired == 1
    assert now + 5 <= engine.runner.now


# --- every slot comes back


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), slots=st.integers(1, 6))
def test_storms_leave_nothing_behind(seed, slots):
    rng = random.Random(seed)
    engine = MadeUpEngine(slots=slots, capacity=12)
    ends: dict[int, list[object]] = {}
    refused = asked = 0
    live = []
    for step in range(250):
        if step < 200 and rng.random() < 0.5:
            events: list[object] = []
            now = engine.runner.now
            job = a_job(
                rng.randint(1, 300),
                rng.randint(1, 60),
                priority=rng.choice(["interactive", "batch"]),
                client=rng.choice(["", "a", "b"]),
                deadline=rng.choice([None, now + rng.random() * 20]),
                events=events,
            )
            if rng.random() < 0.2:
                job = EmbedJob(job.text, job.post, terms=job.terms)
            asked += 1
            try:
                engine.waiting.add([job])
            except OverloadedError:
                refused += 1
            else:
                live.append(job)
                ends[id(job)] = events
        if live and rng.random() < 0.2:
            rng.choice(live).cancelled.set()
        if engine.busy:
            engine.run(rounds=1)
    engine.run()
    stats = engine.stats
    assert engine.runner.opened == []
    assert engine.waiting.empty
    assert engine.waiting._running == []
    assert stats.active == 0
    assert stats.started == stats.finished + stats.cancelled + stats.failed
    assert asked - refused == len(live)
    for job in live:
        over = [one for one in ends[id(job)] if not isinstance(one, Tokens)]
        assert len(over) <= 1
        assert over or job.cancelled.is_set()


@pytest.mark.parametrize("kind", ["open", "read", "decode"])
def test_a_runner_that_fails_costs_its_jobs_and_nothing_else(kind):
    engine = MadeUpEngine(slots=2)
    events = []
    with pytest.MonkeyPatch.context() as patch:

        def fail(*arguments):
            raise RuntimeError("out of memory")

        patch.setattr(engine.runner, kind, fail)
        engine.waiting.add([a_job(length=10, budget=8, events=events)])
        engine.run()
    assert isinstance(events[-1], Failed)
    assert engine.runner.opened == []
    engine.waiting.add([a_job(length=10, budget=8, events=events)])
    engine.run()
    assert events[-1] == Finished("length")
    assert engine.stats.started == engine.stats.finished + engine.stats.failed == 2
