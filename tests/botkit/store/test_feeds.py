"""What conversations show, on every database."""

from __future__ import annotations

import asyncio
from typing import Any

from stage import event

from botkit.completion.messages import UserMessage
from botkit.feed import Feed, FeedHead, FeedPage
from botkit.store import Store, TurnOutput
from botkit.types import ConversationKey

HERE = ConversationKey("stage", "s", "c1")
THERE = ConversationKey("stage", "s", "c2")


def shown(page: FeedPage) -> list[Any]:
    return [each.value for each in page.entries]


async def add(feed: Feed, *keys: str, where: ConversationKey = HERE) -> list[int]:
    return [(await feed.append(where, key, key.upper()))[1].seq for key in keys]


async def test_entries_are_numbered_and_each_is_added_once(store: Store) -> None:
    feed = store.feed
    assert await add(feed, "a", "b") == [1, 2]
    head, again = await feed.append(HERE, "a", "another")
    assert (head.seq, again.seq, again.value) == (2, 1, "A")
    assert await add(feed, "a", where=THERE) == [1]
    page = await feed.after(HERE)
    assert (page.head.seq, shown(page)) == (2, ["A", "B"])
    assert [each.at for each in page.entries] == [1_800_000_000.0] * 2
    assert shown(await feed.after(HERE, 1)) == ["B"]
    assert await feed.entry(HERE, "c") is None
    assert await feed.after(ConversationKey("stage", "s", "nowhere")) == FeedPage(FeedHead(), ())


async def test_pages_go_backwards(store: Store) -> None:
    feed = store.feed
    await add(feed, *"abcdefg")
    assert shown(await feed.after(HERE, limit=3)) == ["E", "F", "G"]
    assert shown(await feed.before(HERE, 5, limit=3)) == ["B", "C", "D"]
    assert shown(await feed.before(HERE, 2)) == ["A"]


async def test_many_add_at_once_and_no_number_is_missing_or_double(store: Store) -> None:
    feed = store.feed
    keys = [f"k{number}" for number in range(30)]
    got = await asyncio.gather(*(feed.append(HERE, key, key) for key in [*keys, *keys]))
    assert sorted({entry.seq for _, entry in got}) == list(range(1, 31))
    page = await feed.after(HERE)
    assert [each.seq for each in page.entries] == list(range(1, 31))
    assert sorted(shown(page)) == sorted(keys)


async def test_one_takes_the_place_of_another_and_of_what_came_after(store: Store) -> None:
    feed = store.feed
    await add(feed, "a", "b", "c")
    _, entry = await feed.append(HERE, "b2", "B2", replaces="b")
    assert entry.seq == 4
    assert shown(await feed.after(HERE)) == ["A", "B2"]
    await feed.append(HERE, "d", "D", replaces="unknown")
    assert shown(await feed.after(HERE)) == ["A", "B2", "D"]


async def test_what_is_live_is_seen_until_it_ends(store: Store) -> None:
    feed = store.feed
    assert await feed.tell(HERE, {"text": "nowhere yet"}) == FeedHead()
    await add(feed, "a")
    await feed.stop(HERE, "a")
    told = await feed.tell(HERE, {"text": "half"})
    assert (told.live, told.stop, told.seq) == ({"text": "half"}, "a", 1)
    await feed.append(HERE, "b", "said meanwhile", ends=False)
    heads = await feed.heads([HERE, THERE])
    assert list(heads) == [HERE]
    assert (heads[HERE].live, heads[HERE].seq) == ({"text": "half"}, 2)
    head, _ = await feed.append(HERE, "c", "the reply")
    assert head.live is None


async def test_heads_are_of_the_conversations_asked_for(store: Store) -> None:
    feed = store.feed
    keys = [ConversationKey("stage", "s", f"c{number}") for number in range(230)]
    other = ConversationKey("other", "s", "c1")
    for key in (*keys[:3], keys[-1], other):
        await add(feed, "a", where=key)
    assert set(await feed.heads(keys)) == {*keys[:3], keys[-1]}
    assert await feed.heads([]) == {}


async def turn(store: Store, text: str, **output: Any) -> None:
    (work,) = (await store.accept([event(text)], owner="me")).work
    assert work.turn is not None
    said = UserMessage(role="user", content=text)
    await store.commit(work.lease, work.turn.events, TurnOutput((said,), **output))


async def test_a_reset_empties_the_feed_and_begins_another_epoch(store: Store) -> None:
    feed = store.feed
    head, _ = await feed.append(HERE, "a", "A")
    await add(feed, "b", where=THERE)
    await turn(store, "/reset", erase="conversation")
    page = await feed.after(HERE)
    assert (page.head.epoch > head.epoch, page.head.seq, page.entries) == (True, 0, ())
    assert await add(feed, "a") == [1], "the same key may come again"
    assert shown(await feed.after(THERE)) == ["B"]


async def test_who_is_forgotten_is_not_shown_any_more(store: Store) -> None:
    feed = store.feed
    for where, text in ((HERE, "a"), (THERE, "b")):
        await feed.append(where, text, text)
        (work,) = (await store.accept([event(text, where.channel)], owner="me")).work
        assert work.turn is not None
        said = UserMessage(role="user", content=text)
        await store.commit(work.lease, work.turn.events, TurnOutput((said,)))
    before = await feed.heads([HERE, THERE])
    await turn(store, "/forget", erase="person")
    assert shown(await feed.after(HERE)) == []
    assert shown(await feed.after(THERE)) == []
    await add(feed, "a", where=THERE)
    after = await feed.heads([THERE])
    assert after[THERE].epoch > before[THERE].epoch


async def test_what_is_too_old_is_not_shown_any_more(store: Store, clock: Any) -> None:
    feed = store.feed
    await add(feed, "old")
    clock.now += 100
    await add(feed, "new")
    await store.retain(50)
    assert shown(await feed.after(HERE)) == ["NEW"]
    exported = await store.export(HERE)
    assert exported is not None
    assert [each["value"] for each in exported["shown"]] == ["NEW"]


async def test_of_several_that_set_a_record_the_first_wins(store: Store) -> None:
    records = store.records("stage")
    got = await asyncio.gather(*(records.setdefault("key", number) for number in range(20)))
    assert len(set(got)) == 1
    assert await records.get("key") == got[0]
    assert await records.setdefault("key", 99) == got[0]
