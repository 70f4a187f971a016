"""The store's contract, on every database."""

from __future__ import annotations

import asyncio

import pytest
from stage import event

from botkit.completion.messages import AssistantMessage, UserMessage
from botkit.errors import LeaseLostError, SettingsError, StoreError
from botkit.store import (
    Delayed,
    Feedback,
    Refused,
    Sent,
    Store,
    TurnOutput,
    Work,
    open_store,
)
from botkit.types import ConversationKey

HERE = ConversationKey("stage", "s", "c1")
PLATFORMS = ("stage",)


class _Clock:
    now: float


async def claim(store: Store, owner: str = "me", batch: bool = False) -> Work:
    works = await store.claim(owner, limit=1, lease_seconds=30, platforms=PLATFORMS, batch=batch)
    assert len(works) == 1
    return works[0]


async def test_an_event_is_taken_once(store: Store) -> None:
    first = event("a", dedupe=("message:1",))
    same_message = event("a", dedupe=("message:1",))
    accepted = await store.accept([first, first, same_message])
    assert (accepted.new, accepted.duplicates) == (1, 2)
    assert (await store.accept([same_message])).duplicates == 1
    assert (await store.stats()).queued == 1


async def test_many_at_once_are_taken_once(store: Store) -> None:
    events = [event(str(number)) for number in range(10)]
    results = await asyncio.gather(*(store.accept([events[at % 10]]) for at in range(100)))
    assert sum(each.new for each in results) == 10
    assert sum(each.duplicates for each in results) == 90


async def test_an_ambient_event_needs_a_conversation(store: Store) -> None:
    ambient = event("psst", ambient=True)
    assert (await store.accept([ambient])).new == 0
    await store.accept([event("hello")])
    assert (await store.accept([event("psst", ambient=True)])).new == 1


async def test_a_turn_from_inbox_to_sent(store: Store) -> None:
    asked = event("hi")
    accepted = await store.accept([asked], owner="me")
    (work,) = accepted.work
    assert work.turn is not None
    assert [each.event for each in work.turn.events] == [asked]
    assert (work.turn.history, dict(work.turn.state)) == ((), {})
    output = TurnOutput(
        messages=(
            UserMessage(role="user", content="hi"),
            AssistantMessage(role="assistant", content="hello"),
        ),
        state={"seen": 1},
        payloads=({"text": "hel"}, {"text": "lo"}),
        feedback=(Feedback("m1", "u1", "positive"),),
    )
    sent = []
    next_work = await store.commit(work.lease, work.turn.events, output)
    while next_work is not None and next_work.outgoing is not None:
        sent.append(next_work.outgoing.payload["text"])
        next_work = await store.settle(Sent(next_work.outgoing, "m"), next_work.lease)
    assert sent == ["hel", "lo"]
    assert next_work is None
    await store.accept([event("again")])
    again = (await claim(store)).turn
    assert again is not None
    assert [each.content for each in again.history] == ["hi", "hello"]
    assert again.state == {"seen": 1}
    assert await store.feedback(HERE) == [Feedback("m1", "u1", "positive")]


async def test_a_later_event_waits_for_the_earlier_reply(store: Store) -> None:
    await store.accept([event("a"), event("b")])
    work = await claim(store)
    assert work.turn is not None
    assert await store.claim("other", limit=5, platforms=PLATFORMS) == []
    next_work = await store.commit(work.lease, work.turn.events, TurnOutput(payloads=("A",)))
    assert next_work is not None
    assert next_work.outgoing is not None
    last = await store.settle(Sent(next_work.outgoing), next_work.lease)
    assert last is not None
    assert last.turn is not None
    assert [each.event.text for each in last.turn.events] == ["b"]


async def test_messages_in_a_row_are_one_batch(store: Store) -> None:
    await store.accept([event("a"), event("b"), event("x", kind="command", name="x"), event("c")])
    work = await claim(store, batch=True)
    assert work.turn is not None
    assert [each.event.text for each in work.turn.events] == ["a", "b"]


async def test_who_lets_a_lease_expire_cannot_commit(store: Store, clock: _Clock) -> None:
    await store.accept([event("a")])
    slow = await claim(store, "slow")
    clock.now += 31
    quick = await claim(store, "quick")
    assert quick.lease.token > slow.lease.token
    assert slow.turn is not None
    assert quick.turn is not None
    assert quick.turn.events[0].attempts == 2
    with pytest.raises(LeaseLostError):
        await store.commit(slow.lease, slow.turn.events, TurnOutput(payloads=("slow",)))
    with pytest.raises(LeaseLostError):
        await store.renew(slow.lease, 30)
    kept = await store.commit(quick.lease, quick.turn.events, TurnOutput(payloads=("quick",)))
    assert kept is not None
    assert kept.outgoing is not None
    assert kept.outgoing.payload == "quick"


async def test_a_crash_while_sending_leaves_the_payload_uncertain(
    store: Store, clock: _Clock
) -> None:
    await store.accept([event("a")])
    work = await claim(store)
    assert work.turn is not None
    await store.commit(work.lease, work.turn.events, TurnOutput(payloads=("A",)))
    clock.now += 31
    taken = await claim(store, "other")
    assert taken.outgoing is not None
    assert taken.outgoing.uncertain
    assert taken.outgoing.attempt == 2


async def test_a_delayed_payload_is_due_later(store: Store, clock: _Clock) -> None:
    await store.accept([event("a"), event("b")])
    work = await claim(store)
    assert work.turn is not None
    sending = await store.commit(work.lease, work.turn.events, TurnOutput(payloads=("A",)))
    assert sending is not None
    assert sending.outgoing is not None
    assert await store.settle(Delayed(sending.outgoing, "429", 60), sending.lease) is None
    assert await store.claim("me", limit=1, platforms=PLATFORMS) == []
    due = await store.next_due(PLATFORMS)
    assert due is not None
    assert 0 < due <= 60
    clock.now += 61
    again = await claim(store)
    assert again.outgoing is not None
    assert not again.outgoing.uncertain
    last = await store.settle(Refused(again.outgoing, "gone"), again.lease)
    assert last is not None
    assert last.turn is not None
    (letter,) = await store.dead_letters()
    assert (letter.kind, letter.reason, letter.content) == ("delivery", "gone", "A")


async def test_a_dead_turn_can_be_retried(store: Store) -> None:
    await store.accept([event("a")])
    work = await claim(store)
    assert work.turn is not None
    output = TurnOutput(payloads=("sorry",))
    sending = await store.abandon_turn(
        work.lease, work.turn.events, reason="ValueError", output=output
    )
    assert sending is not None
    assert sending.outgoing is not None
    assert await store.settle(Sent(sending.outgoing), sending.lease) is None
    (letter,) = await store.dead_letters()
    assert await store.retry_dead_letter(letter.id)
    assert not await store.retry_dead_letter(letter.id)
    again = await claim(store)
    assert again.turn is not None
    assert again.turn.events[0].event.text == "a"


async def test_an_interim_reply_is_kept_once(store: Store, clock: _Clock) -> None:
    await store.accept([event("a")])
    work = await claim(store)
    assert work.turn is not None
    head = work.turn.events[0]
    (first,) = await store.enqueue(work.lease, head, 0, ["wait"])
    await store.record(work.lease, Sent(first))
    clock.now += 31
    again = await claim(store, "other")
    assert again.turn is not None
    assert await store.enqueue(again.lease, again.turn.events[0], 0, ["wait"]) == ()


async def test_a_preview_is_given_to_the_next_attempt(store: Store, clock: _Clock) -> None:
    await store.accept([event("a")])
    work = await claim(store)
    assert work.turn is not None
    await store.save_preview(work.lease, work.turn.events[0], {"ts": "1"})
    clock.now += 31
    again = await claim(store)
    assert again.turn is not None
    assert again.turn.events[0].preview == {"ts": "1"}


async def test_an_erased_conversation_is_gone_and_its_turn_cannot_commit(store: Store) -> None:
    said = event("secret")
    await store.accept([said])
    work = await claim(store)
    assert work.turn is not None
    assert "secret" in str(await store.export(HERE))
    assert await store.erase(HERE)
    assert await store.export(HERE) is None
    with pytest.raises(LeaseLostError):
        await store.commit(work.lease, work.turn.events, TurnOutput(payloads=("x",)))
    assert (await store.accept([said])).duplicates == 1
    assert not await store.erase(HERE)


async def test_a_channel_moves_with_all_that_it_has(store: Store) -> None:
    await store.accept([event("a"), event("b")])
    work = await claim(store)
    assert work.turn is not None
    said = (UserMessage(role="user", content="a"),)
    following = await store.commit(work.lease, work.turn.events, TurnOutput(messages=said))
    assert following is not None
    assert following.turn is not None
    await store.move("stage", "s", "c1", "c2")
    there = ConversationKey("stage", "s", "c2")
    assert [each.content for each in await store.history(there)] == ["a"]
    output = TurnOutput(messages=(UserMessage(role="user", content="b"),))
    await _commit_or_run_again(store, following, output)
    assert [each.content for each in await store.history(there)] == ["a", "b"]


async def _commit_or_run_again(store: Store, work: Work, output: TurnOutput) -> None:
    """A turn under way while its channel moves may commit, or is run again; it is not lost."""
    assert work.turn is not None
    try:
        await store.commit(work.lease, work.turn.events, output)
    except LeaseLostError:
        again = await claim(store)
        assert again.turn is not None
        assert [each.event.text for each in again.turn.events] == ["b"]
        await store.commit(again.lease, again.turn.events, output)


async def test_records_expire_and_are_taken_once(store: Store, clock: _Clock) -> None:
    records = store.records("slack")
    await records.put("a:1", {"x": [1]})
    await records.put("a:2", "soon gone", expires_in=10)
    assert await records.get("a:1") == {"x": [1]}
    assert await store.records("telegram").get("a:1") is None
    assert await records.keys("a:") == ["a:1", "a:2"]
    taken = await asyncio.gather(*(records.take("a:1") for _ in range(5)))
    assert [each for each in taken if each is not None] == [{"x": [1]}]
    clock.now += 11
    assert await records.get("a:2") is None


async def test_two_stores_share_the_work(store: Store, database: str, clock: _Clock) -> None:
    if ":memory:" in database:
        pytest.skip("a database in memory has one process")
    other = await open_store(database, clock=clock)  # type: ignore[arg-type]
    try:
        await asyncio.gather(
            *(each.accept([event("x", f"c{at}")]) for at, each in enumerate([store, other] * 10))
        )
        works = [
            work
            for found in await asyncio.gather(
                *(each.claim("me", limit=3, platforms=PLATFORMS) for each in [store, other] * 10)
            )
            for work in found
        ]
        leased = [str(work.lease.conversation) for work in works]
        assert sorted(leased) == sorted(set(leased))
        assert len(leased) == 20
    finally:
        await other.aclose()


async def test_old_rows_are_pruned(store: Store, clock: _Clock) -> None:
    done = event("a")
    await store.accept([done])
    work = await claim(store)
    assert work.turn is not None
    assert await store.commit(work.lease, work.turn.events, TurnOutput()) is None
    clock.now += 100
    assert await store.prune(50) > 0
    assert (await store.accept([done])).new == 1


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite://host/a", ""])
async def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="BOTKIT_DATABASE_URL"):
        await open_store(url)


async def test_a_database_of_a_newer_botkit_is_refused(database: str) -> None:
    if ":memory:" in database:
        pytest.skip("a database in memory is always new")
    opened = await open_store(database)
    await opened._driver.run(_newer)
    await opened.aclose()
    with pytest.raises(StoreError, match="newer botkit"):
        await open_store(database)


def _newer():  # type: ignore[no-untyped-def]
    from botkit.store.statement import Statement

    yield Statement("INSERT INTO botkit_migrations (version, applied_at) VALUES (9999, 0)")
