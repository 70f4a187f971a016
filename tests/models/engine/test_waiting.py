"""The queue before the slots: bounded, in order, honest about how long it takes."""

import threading

import pytest

from botkit.errors import CompletionUnavailableError, OverloadedError
from botkit_models.engine.job import Failed, GenerateJob
from botkit_models.engine.waiting import WaitingJobs


def jobs(count, events=None):
    post = events.append if events is not None else lambda event: None
    return [GenerateJob((place,), post) for place in range(count)]


def test_first_come_first_served():
    waiting = WaitingJobs(slots=2, capacity=8)
    some = jobs(6)
    waiting.add(some[:2])
    waiting.add(some[2:])
    assert [waiting.take(wait=False) for _ in range(7)] == [*some, None]


def test_as_many_may_wait_as_capacity_and_free_slots():
    waiting = WaitingJobs(slots=2, capacity=3)
    waiting.add(jobs(5))
    with pytest.raises(OverloadedError, match="0 replies are being written and 5 are waiting"):
        waiting.add(jobs(1))
    assert waiting.take(wait=False)
    with pytest.raises(OverloadedError):  # the slot is taken now, the queue as full as before
        waiting.add(jobs(1))
    waiting.done(1.0)
    waiting.add(jobs(1))


def test_all_or_none_is_queued():
    waiting = WaitingJobs(slots=1, capacity=2)
    with pytest.raises(OverloadedError):
        waiting.add(jobs(4))
    assert waiting.take(wait=False) is None
    waiting.add(jobs(3))


def test_the_cancelled_take_no_place():
    waiting = WaitingJobs(slots=1, capacity=1)
    some = jobs(2)
    waiting.add(some)
    for job in some:
        job.cancelled.set()
    more = jobs(2)
    waiting.add(more)
    assert [waiting.take(wait=False), waiting.take(wait=False)] == more


def test_a_job_cancelled_after_queueing_is_passed_over():
    waiting = WaitingJobs(slots=1, capacity=2)
    some = jobs(2)
    waiting.add(some)
    some[0].cancelled.set()
    assert waiting.take(wait=False) is some[1]
    assert waiting.take(wait=False) is None


def test_retry_after_grows_with_what_jobs_take():
    def retry_after(seconds):
        waiting = WaitingJobs(slots=1, capacity=4)
        for _ in range(50):
            waiting.add(jobs(1))
            assert waiting.take(wait=False)
            waiting.done(seconds)
        waiting.add(jobs(5))
        with pytest.raises(OverloadedError) as refused:
            waiting.add(jobs(1))
        return refused.value.retry_after

    assert retry_after(0.001) == 1.0
    assert retry_after(10.0) == pytest.approx(60, rel=0.01)


def test_closing_fails_what_waits_refuses_what_comes_and_wakes_who_waits():
    waiting = WaitingJobs(slots=1, capacity=4)
    events = []
    waiting.add(jobs(2, events))
    waiting.close()
    assert [type(event.error) for event in events] == [CompletionUnavailableError] * 2
    assert all(isinstance(event, Failed) for event in events)
    with pytest.raises(CompletionUnavailableError):
        waiting.add(jobs(1))
    assert waiting.closed
    assert waiting.take(wait=True) is None


def test_a_sleeping_taker_wakes_for_a_job():
    waiting = WaitingJobs(slots=1, capacity=4)
    taken = []
    thread = threading.Thread(target=lambda: taken.append(waiting.take(wait=True)))
    thread.start()
    some = jobs(1)
    waiting.add(some)
    thread.join(timeout=10)
    assert taken == some
