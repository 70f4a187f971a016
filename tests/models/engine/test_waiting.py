"""The queue before the slots: bounded, in order, fair, and silent about those who left."""

import threading

import pytest
from queued_jobs import a_job

from botkit.errors import CompletionUnavailableError, OverloadedError
from botkit_models.engine.job import Failed
from botkit_models.engine.waiting import BATCH_SHARE, WaitingJobs


def jobs(count, **fields):
    return [a_job(**fields) for _ in range(count)]


def taken(waiting, count):
    """The next jobs, each leaving its slot at once."""
    found = []
    for _ in range(count):
        job = waiting.take(wait=False)
        found.append(job)
        if job is not None:
            waiting.done(job)
    return found


def test_first_come_first_served():
    waiting = WaitingJobs(slots=2, capacity=8)
    some = jobs(6)
    waiting.add(some[:2])
    waiting.add(some[2:])
    assert taken(waiting, 7) == [*some, None]


def test_as_many_may_wait_as_capacity_and_free_slots():
    waiting = WaitingJobs(slots=2, capacity=3)
    waiting.add(jobs(5))
    with pytest.raises(OverloadedError, match="0 replies are being written and 5 are waiting"):
        waiting.add(jobs(1))
    job = waiting.take(wait=False)
    with pytest.raises(OverloadedError):  # the slot is taken now, the queue as full as before
        waiting.add(jobs(1))
    waiting.done(job)
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
    assert taken(waiting, 2) == more


def test_a_job_cancelled_after_queueing_is_passed_over():
    waiting = WaitingJobs(slots=1, capacity=2)
    some = jobs(2)
    waiting.add(some)
    some[0].cancelled.set()
    assert taken(waiting, 2) == [some[1], None]


def test_closing_fails_what_waits_refuses_what_comes_and_wakes_who_waits():
    waiting = WaitingJobs(slots=1, capacity=4)
    events = []
    waiting.add(jobs(1, events=events) + jobs(1, events=events))
    waiting.add(jobs(1, events=events, priority="batch"))
    waiting.close()
    assert [type(event.error) for event in events] == [CompletionUnavailableError] * 3
    assert all(isinstance(event, Failed) for event in events)
    with pytest.raises(CompletionUnavailableError):
        waiting.add(jobs(1))
    assert waiting.closed
    assert waiting.take(wait=True) is None


def test_a_sleeping_taker_wakes_for_a_job():
    waiting = WaitingJobs(slots=1, capacity=4)
    found = []
    thread = threading.Thread(target=lambda: found.append(waiting.take(wait=True)))
    thread.start()
    some = jobs(1)
    waiting.add(some)
    thread.join(timeout=10)
    assert found == some


# --- priorities


def test_interactive_work_goes_before_batch_work_that_came_first():
    waiting = WaitingJobs(slots=2, capacity=8)
    batch, interactive = jobs(2, priority="batch"), jobs(3)
    waiting.add(batch)
    waiting.add(interactive)
    assert taken(waiting, 5) == [*interactive, *batch]


def test_batch_work_gets_its_share_of_a_crowd():
    """However much interactive work comes, a batch job waits for seven others at most."""
    waiting = WaitingJobs(slots=2, capacity=16)
    waiting.add(jobs(8, priority="batch"))
    order = []
    for _ in range(8 * BATCH_SHARE):
        waiting.add(jobs(1))
        order += taken(waiting, 1)
    places = [place for place, one in enumerate(order) if one.terms.priority == "batch"]
    assert places == list(range(BATCH_SHARE - 1, 8 * BATCH_SHARE, BATCH_SHARE))


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (2, 1), (4, 3)])
def test_batch_work_leaves_a_slot_to_whoever_comes(slots, most):
    waiting = WaitingJobs(slots, capacity=8)
    waiting.add(jobs(8, priority="batch"))
    running = [waiting.take(wait=False) for _ in range(most)]
    assert all(running)
    assert waiting.take(wait=False) is None
    if slots > most:
        waiting.add(jobs(1))
        assert waiting.take(wait=False).terms.priority == "interactive"
    waiting.done(running[0])
    assert waiting.take(wait=False).terms.priority == "batch"


def test_a_pile_of_batch_work_refuses_nobody_else():
    waiting = WaitingJobs(slots=1, capacity=2)
    waiting.add(jobs(3, priority="batch"))
    with pytest.raises(OverloadedError):
        waiting.add(jobs(1, priority="batch"))
    waiting.add(jobs(3))
    with pytest.raises(OverloadedError):
        waiting.add(jobs(1))


# --- clients


def test_clients_take_turns():
    waiting = WaitingJobs(slots=1, capacity=64)
    many, few, nameless = jobs(10, client="many"), jobs(2, client="few"), jobs(2)
    for group in (many, few, nameless):
        waiting.add(group)
    order = [one.terms.client for one in taken(waiting, 14)]
    assert order[:6] == ["many", "few", "", "many", "few", ""]
    assert order[6:] == ["many"] * 8


def test_a_turn_is_measured_in_work():
    """Who asks for ten times as much gets a tenth of the turns."""
    waiting = WaitingJobs(slots=1, capacity=64)
    waiting.add(jobs(5, client="long", length=1000, budget=0))
    waiting.add(jobs(40, client="short", length=100, budget=0))
    order = [one.terms.client for one in taken(waiting, 23)]
    assert 2 <= order.count("long") <= 3


def test_who_comes_late_has_no_credit_for_the_time_before():
    waiting = WaitingJobs(slots=1, capacity=64)
    waiting.add(jobs(30, client="a"))
    taken(waiting, 20)
    waiting.add(jobs(10, client="b"))
    order = [one.terms.client for one in taken(waiting, 8)]
    assert 3 <= order.count("a") <= 5


def test_nobody_pays_for_jobs_that_were_let_go():
    waiting = WaitingJobs(slots=1, capacity=64)
    gone = jobs(20, client="a")
    waiting.add(gone)
    waiting.add(jobs(20, client="b"))
    for job in gone:
        job.cancelled.set()
    waiting.add(jobs(1, client="a"))
    order = [one.terms.client for one in taken(waiting, 3)]
    assert "a" in order[:2]


def test_what_ran_is_paid_for_though_the_rest_was_let_go():
    waiting = WaitingJobs(slots=1, capacity=64)
    mine = jobs(12, client="a")
    waiting.add(mine)
    waiting.add(jobs(20, client="b"))
    ran = taken(waiting, 8)
    for job in mine:
        job.cancelled.set()
    waiting.add(jobs(10, client="a"))
    order = [one.terms.client for one in [*ran, *taken(waiting, 8)]]
    assert 7 <= order.count("a") <= 9


def test_each_clients_own_jobs_keep_their_order():
    waiting = WaitingJobs(slots=1, capacity=64)
    mine = {name: jobs(5, client=name, length=3) for name in "abc"}
    for group in mine.values():
        waiting.add(group)
    order = taken(waiting, 15)
    for name, group in mine.items():
        assert [one for one in order if one.terms.client == name] == group


# --- deadlines


def test_a_queue_that_cannot_meet_a_deadline_says_so_at_once():
    now = [100.0]
    waiting = WaitingJobs(slots=1, capacity=64, clock=lambda: now[0])
    for _ in range(100):  # a second per token
        waiting.forecast.writing.add(10, 10.0)
    waiting.add(jobs(5, budget=10))
    with pytest.raises(OverloadedError, match="deadline") as refused:
        waiting.add([a_job(budget=10, deadline=120.0)])
    assert refused.value.retry_after == pytest.approx(30, rel=0.1)
    assert len(waiting) == 5
    waiting.add([a_job(budget=10, deadline=160.0)])
    # Other queues, other waits: this one goes before the batch work that is there.
    waiting = WaitingJobs(slots=2, capacity=64, clock=lambda: now[0])
    waiting.add(jobs(5, budget=10, priority="batch"))
    waiting.add([a_job(budget=10, deadline=101.0)])


def test_a_deadline_that_passes_in_the_queue_takes_the_job_out():
    now = [0.0]
    waiting = WaitingJobs(slots=1, capacity=8, clock=lambda: now[0])
    hasty, patient, endless = a_job(deadline=5.0), a_job(deadline=50.0), a_job()
    waiting.add([hasty])
    waiting.add([patient])
    waiting.add([endless])
    assert waiting.expired() == []
    now[0] = 5.0
    assert waiting.expired() == [hasty]
    assert waiting.expired() == []
    assert taken(waiting, 3) == [patient, endless, None]
