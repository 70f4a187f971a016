"""Summaries, notes, profiles, and erasing them, on every database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage import event

from botkit.completion.messages import AssistantMessage, Message, UserMessage
from botkit.store import Sent, Store, TurnOutput, Work, open_store
from botkit.types import ConversationKey, Json, Sender

HERE = ConversationKey("stage", "s", "c1")
DAY = 86400.0
SECRET = "the heron flies at midnight"


def user(text: str) -> UserMessage:
    return UserMessage(role="user", content=text)


async def turn(store: Store, text: str = "hi", channel: str = "c1", **output: Any) -> Work:
    """One whole turn: said, answered, sent. The work that it began with."""
    return await turn_of(store, event(text, channel), **output)


async def turn_of(store: Store, said: Any, **output: Any) -> Work:
    (work,) = (await store.accept([said], owner="me")).work
    assert work.turn is not None
    given: dict[str, Any] = {"messages": (user(said.text),), "payloads": ({"text": "yes"},)}
    following = await store.commit(work.lease, work.turn.events, TurnOutput(**given | output))
    while following is not None and following.outgoing is not None:
        following = await store.settle(Sent(following.outgoing, "m"), following.lease)
    assert following is None
    return work


async def begun(store: Store, channel: str = "c1", sender: Sender | None = None) -> Work:
    said = event("next", channel, **({} if sender is None else {"sender": sender}))
    (work,) = (await store.accept([said], owner="me")).work
    return work


async def test_a_summary_takes_the_place_of_the_messages_it_is_made_of(store: Store) -> None:
    for text in ("one", "two", "three"):
        await turn(store, text)
    found = await store.unsummarized(HERE)
    assert found is not None
    assert [message.content for _, message in found.messages] == ["one", "two", "three"]
    up_to = found.messages[1][0]
    kept = {"up_to": up_to, "summary": {"text": "one, two"}}
    assert await store.summarize(found, **kept)
    work = await begun(store)
    assert work.turn is not None
    assert work.turn.summary == {"text": "one, two"}
    assert [message.content for message in work.turn.history] == ["three"]
    assert len(await store.history(HERE)) == 3, "they can be shown still"
    assert not await store.summarize(found, **kept), "it was made of an older memory"


async def test_a_summary_of_what_was_erased_meanwhile_is_not_kept(store: Store) -> None:
    await turn(store, SECRET)
    found = await store.unsummarized(HERE)
    assert found is not None
    kept = {"up_to": found.messages[-1][0], "summary": {"text": SECRET}}
    await turn(store, "/reset", messages=(), erase="conversation")
    assert not await store.summarize(found, **kept)
    await turn(store, SECRET, "c2")
    elsewhere = ConversationKey("stage", "s", "c2")
    found = await store.unsummarized(elsewhere)
    assert found is not None
    await store.erase_person("stage", "u1")
    assert not await store.summarize(found, up_to=1, summary={"text": SECRET})


async def test_a_summary_under_way_does_not_come_back_after_its_conversation_went(
    store: Store,
) -> None:
    await turn(store, SECRET)
    found = await store.unsummarized(HERE)
    assert found is not None
    kept = {"up_to": found.messages[-1][0], "summary": {"text": SECRET}}
    await turn(store, "/forget", messages=(), erase="person", state={}, notes={})
    assert await store.export(HERE) is None
    await turn(store, "hello")
    assert not await store.summarize(found, **kept)
    export = await store.export(HERE)
    assert export is not None
    assert export["summary"] is None


async def test_a_turn_is_of_one_person(store: Store) -> None:
    bob = Sender("u2", "Bob")
    said = [event("a"), event("b"), event("mine", sender=bob), event("c")]
    await store.accept(said)
    (work,) = await store.claim("me", limit=1, platforms=("stage",), batch=True)
    taken = []
    while work is not None:
        assert work.turn is not None
        texts = [each.event.text for each in work.turn.events]
        taken.append(texts)
        assert not await store.grows(work.lease, work.turn.events)
        output = TurnOutput(messages=tuple(user(text) for text in texts))
        work = await store.commit(work.lease, work.turn.events, output)
    assert taken == [["a", "b"], ["mine"], ["c"]]
    await store.erase_person("stage", "u2")
    assert [message.content for message in await store.history(HERE)] == ["a", "b", "c"]


async def test_who_is_forgotten_leaves_the_others_what_is_theirs(store: Store) -> None:
    await turn_of(store, event("I am Bob", sender=Sender("u2", "Bob")), state={"game": 1})
    await turn(store, "/forget", messages=(), erase="person", state={}, notes={})
    export = await store.export(HERE)
    assert export is not None
    assert export["state"] == {"game": 1}


async def profile(store: Store) -> Json | None:
    """What the next turn is told of the person."""
    work = await turn(store)
    assert work.turn is not None
    return work.turn.profile


async def test_notes_and_profile_come_with_the_next_turn(store: Store) -> None:
    await turn(store, notes={"language": "de"}, profile={"on": True, "facts": ["a"]})
    work = await begun(store)
    assert work.turn is not None
    assert (dict(work.turn.notes), work.turn.profile) == (
        {"language": "de"},
        {"on": True, "facts": ["a"]},
    )
    await store.release(work.lease)
    elsewhere = await begun(store, "c2")
    assert elsewhere.turn is not None
    assert dict(elsewhere.turn.notes) == {}, "notes are the conversation's"
    assert elsewhere.turn.profile == {"on": True, "facts": ["a"]}, "the profile is the person's"
    of_bob = await begun(store, "c3", Sender("u2", "Bob"))
    assert of_bob.turn is not None
    assert of_bob.turn.profile is None


async def test_a_profile_that_changed_meanwhile_is_not_overwritten(store: Store) -> None:
    was, learned, changed = ({"on": True, "facts": facts} for facts in ([], ["a"], ["b"]))
    await turn(store, profile=learned, profile_was=was)
    assert await profile(store) is None, "there was none"
    await turn(store, profile=was)
    await turn(store, profile=learned, profile_was=was)
    assert await profile(store) == learned
    await turn(store, profile=changed, profile_was=was)
    assert await profile(store) == learned


async def test_a_reset_erases_what_was_said_and_nothing_else(store: Store) -> None:
    await turn(store, SECRET, state={"drink": SECRET}, notes={"a": SECRET})
    await turn(store, "elsewhere", "c2")
    await turn(store, "/reset", messages=(), erase="conversation", state={}, notes={})
    work = await begun(store)
    assert work.turn is not None
    assert (work.turn.history, dict(work.turn.state), dict(work.turn.notes)) == ((), {}, {})
    assert len(await store.history(ConversationKey("stage", "s", "c2"))) == 1


async def test_a_forgotten_person_leaves_nothing_anywhere(store: Store) -> None:
    bob = Sender("u2", "Bob")
    await turn(store, SECRET, profile={"on": True, "facts": [SECRET]})
    await turn(store, SECRET, "c2", payloads=({"text": SECRET},))
    await turn(store, SECRET, "shared")
    await turn_of(store, event("I am Bob", "shared", sender=bob))
    shared = ConversationKey("stage", "s", "shared")
    found = await store.unsummarized(shared)
    assert found is not None
    kept = {"up_to": found.messages[0][0], "summary": {"text": SECRET}}
    assert await store.summarize(found, **kept)
    farewell = event(SECRET, sender=Sender("u1", SECRET))
    await turn_of(
        store, farewell, messages=(), erase="person", payloads=({"text": "forgotten"},), state={}
    )
    keys = [str(each.conversation) for each in await store.conversations()]
    assert keys == [str(shared)], "their own conversations go, this one once the reply is sent"
    export = await store.export(shared)
    assert SECRET not in str(export)
    assert "I am Bob" in str(export)
    assert export is not None
    assert export["summary"] is None
    work = await begun(store)
    assert work.turn is not None
    assert work.turn.profile is None


async def test_who_writes_again_before_the_farewell_is_sent_is_answered(store: Store) -> None:
    await turn(store, SECRET)
    (work,) = (await store.accept([event("/forget")], owner="me")).work
    assert work.turn is not None
    output = TurnOutput(payloads=({"text": "forgotten"},), erase="person", state={}, notes={})
    farewell = await store.commit(work.lease, work.turn.events, output)
    await store.accept([event("hello again")])
    assert farewell is not None
    assert farewell.outgoing is not None
    again = await store.settle(Sent(farewell.outgoing, "m"), farewell.lease)
    assert again is not None
    assert again.turn is not None
    assert again.turn.history == ()
    output = TurnOutput(messages=(user("hello again"),))
    assert await store.commit(again.lease, again.turn.events, output) is None
    assert [message.content for message in await store.history(HERE)] == ["hello again"]


async def test_what_is_older_than_is_retained_goes(store: Store, clock: Any) -> None:
    await turn(store, "old")
    await turn(store, "old elsewhere", "c2")
    found = await store.unsummarized(HERE)
    assert found is not None
    up_to = found.messages[0][0]
    await store.summarize(found, up_to=up_to, summary={"text": "old"})
    clock.now += 10 * DAY
    await turn(store, "new")
    waiting = event("not answered yet", "c3")
    await store.accept([waiting])
    clock.now += 1.0
    assert await store.retain(5 * DAY) > 0
    assert [str(message.content) for message in await store.history(HERE)] == ["new"]
    listed = [each.conversation.channel for each in await store.conversations()]
    assert sorted(listed) == ["c1", "c3"]
    export = await store.export(HERE)
    assert export is not None
    assert export["summary"] is None
    assert len(export["events"]) == 1
    clock.now += 10 * DAY
    await store.retain(5 * DAY)
    assert [each.conversation.channel for each in await store.conversations()] == ["c3"]


@pytest.mark.parametrize("way", ["turn", "person", "conversation"])
async def test_the_bytes_of_what_was_erased_are_gone(tmp_path: Path, way: str) -> None:
    """Pages are split, merged and moved before: no copy may be left in any of them."""
    database = tmp_path / "bot.db"
    store = await open_store(f"sqlite:///{database}")
    for number in range(60):
        filler: list[Message] = [user(f"filler {number} " * (1 + number % 40))]
        await turn(store, "filler", f"other{number % 7}", messages=tuple(filler))
        said = [user(f"{SECRET} {number} " * (1 + number % 30))]
        answer = AssistantMessage(role="assistant", content=f"{SECRET} indeed")
        await turn_of(
            store,
            event(f"{SECRET} " * (1 + number % 17), f"mine{number % 3}", sender=Sender("me")),
            messages=(*said, answer),
            payloads=({"text": SECRET * 3},),
            state={"of": SECRET},
        )
    assert _held(tmp_path), "the test could not fail"
    if way == "turn":
        last = event("/forget", "mine0", sender=Sender("me"))
        await turn_of(store, last, messages=(), erase="person", state={}, notes={})
    elif way == "person":
        await store.erase_person("stage", "me")
    else:
        for number in range(3):
            assert await store.erase(ConversationKey("stage", "s", f"mine{number}"))
    assert not _held(tmp_path)
    await store.aclose()
    assert not _held(tmp_path)


def _held(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if SECRET.encode() in each.read_bytes()]
