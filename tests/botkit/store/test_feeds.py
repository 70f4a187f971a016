"""What conversations show, on every database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stage import event

from botkit.adapter import CONVERSATION
from botkit.completion.messages import UserMessage
from botkit.feed import Feed, FeedEntry, FeedHead, FeedPage
from botkit.store import Sent, Store, TurnOutput
from botkit.store.scripts.feeds import GONE
from botkit.types import ConversationKey

HERE = ConversationKey("stage", "s", "c1")
THERE = ConversationKey("stage", "s", "c2")


def shown(page: FeedPage) -> list[Any]:
    return [each.value for each in page.entries]


async def add(feed: Feed, *keys: str, where: ConversationKey = HERE) -> list[int]:
    return [(await added(feed, key, key.upper(), where=where))[1].seq for key in keys]


async def added(
    feed: Feed, key: str, value: Any, *, where: ConversationKey = HERE, **options: Any
) -> tuple[FeedHead, FeedEntry]:
    found = await feed.append(where, key, value, **options)
    assert found is not None
    return found


async def test_entries_are_numbered_and_each_is_added_once(store: Store) -> None:
    feed = store.feed
    assert await add(feed, "a", "b") == [1, 2]
    head, again = await added(feed, "a", "another")
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
    got = await asyncio.gather(*(added(feed, key, key) for key in [*keys, *keys]))
    assert sorted({entry.seq for _, entry in got}) == list(range(1, 31))
    page = await feed.after(HERE)
    assert [each.seq for each in page.entries] == list(range(1, 31))
    assert sorted(shown(page)) == sorted(keys)


async def test_one_takes_the_place_of_others_for_good(store: Store) -> None:
    feed = store.feed
    await add(feed, "a", "b", "c")
    head, entry = await added(feed, "b2", "B2", removes=["b", "c", "unknown"])
    assert (entry.seq, set(head.gone)) == (4, {"b", "c"})
    assert shown(await feed.after(HERE)) == ["A", "B2"]
    assert (await feed.after(HERE)).head.gone == head.gone
    assert await feed.append(HERE, "b", "B") is None, "said again, too late"
    assert await feed.append(HERE, "r", "R", answers="b") is None, "what it answers is gone"
    assert (await added(feed, "r", "R", answers="b2"))[1].seq == 5
    assert shown(await feed.after(HERE)) == ["A", "B2", "R"]


async def test_an_entry_is_added_only_where_nothing_came_between(store: Store) -> None:
    feed = store.feed
    await add(feed, "a")
    assert (await added(feed, "b", "B", at=1))[1].seq == 2
    assert await feed.append(HERE, "c", "C", at=1, removes=["a"]) is None
    assert shown(await feed.after(HERE)) == ["A", "B"]
    got = await asyncio.gather(*(feed.append(HERE, f"k{n}", n, at=2) for n in range(10)))
    assert sum(each is not None for each in got) == 1


async def test_only_the_last_that_went_are_remembered(store: Store) -> None:
    feed = store.feed
    keys = [f"k{number}" for number in range(GONE + 10)]
    for start in range(0, len(keys), 50):
        await add(feed, *keys[start : start + 50])
        await added(feed, f"after {start}", "", removes=keys[start : start + 50])
    assert len((await feed.after(HERE)).head.gone) == GONE


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
    head, _ = await added(feed, "c", "the reply")
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
    head, _ = await added(feed, "a", "A")
    await add(feed, "b", where=THERE)
    await turn(store, "/reset", erase="conversation")
    page = await feed.after(HERE)
    assert (page.head.epoch > head.epoch, page.head.seq, page.entries) == (True, 0, ())
    assert await feed.append(HERE, "a", "A") is None, "said again, too late"
    assert await add(feed, "c") == [1]
    assert shown(await feed.after(THERE)) == ["B"]


@pytest.mark.parametrize("erase", ["conversation", "person"])
async def test_what_was_said_after_the_command_stays_and_is_answered(
    store: Store, erase: str
) -> None:
    feed = store.feed
    await add(feed, "m1", "command")
    await added(feed, "r1", "written meanwhile", answers="m1")
    await added(feed, "rating", "of that", answers="r1")
    (work,) = (await store.accept([event("/x", message_id="command")], owner="me")).work
    assert work.turn is not None
    await add(feed, "m2")
    await store.accept([event("said later", message_id="m2"), event("elsewhere", "c2")])
    await add(feed, "m3", where=THERE)
    output = TurnOutput(payloads=({"text": "done"},), erase=erase)  # type: ignore[arg-type]
    following = await store.commit(work.lease, work.turn.events, output)
    page = await feed.after(HERE)
    assert (shown(page), page.head.seq) == (["M2"], 5)
    assert (await added(feed, "r2", "done", answers="command"))[1].seq == 6
    while following is not None and following.outgoing is not None:
        following = await store.settle(Sent(following.outgoing, "m"), following.lease)
    assert following is not None
    assert following.turn is not None
    assert [each.event.text for each in following.turn.events] == ["said later"]
    assert following.turn.history == ()
    await store.commit(following.lease, following.turn.events, TurnOutput())
    assert shown(await feed.after(HERE)) == ["M2", "done"], "the conversation goes on"
    (elsewhere,) = await store.claim("me", limit=1, platforms=("stage",))
    assert elsewhere.turn is not None
    assert elsewhere.turn.events[0].event.text == "elsewhere"


@pytest.mark.parametrize("how", ["reset", "forget", "erase", "erase_person"])
async def test_what_an_adapter_keeps_for_a_conversation_goes_with_it(
    store: Store, how: str
) -> None:
    records = store.records("stage")
    mine, others = (f"{CONVERSATION}{key}:file:1" for key in (HERE, THERE))
    for name in (mine, others):
        await records.put(name, "bytes")
    await turn(store, "hello")
    if how == "erase":
        await store.erase(HERE)
    elif how == "erase_person":
        await store.erase_person("stage", "u1")
    else:
        erase = "conversation" if how == "reset" else "person"
        await turn(store, f"/{how}", erase=erase)
    assert await records.get(mine) is None
    assert await records.get(others) == "bytes"


async def test_who_is_forgotten_is_not_shown_any_more(store: Store) -> None:
    feed = store.feed
    for where, text in ((HERE, "a"), (THERE, "b")):
        await added(feed, text, text, where=where)
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
