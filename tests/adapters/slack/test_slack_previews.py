"""A preview and its reply: however the one ends, the other is there once, and alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from waiting import until

import botkit_adapters.showing
from botkit.replies import File, Reply
from botkit_adapters.slack.calls import Calls
from botkit_adapters.slack.streams import STREAMS, Streams

FIRST = "The answer, as far as it goes, "
MORE = FIRST + "goes on and on "
FINAL = MORE + "and ends here."

in_a_thread = pytest.mark.parametrize("place", ["thread"], indirect=True)
in_a_direct_message = pytest.mark.parametrize("place", ["direct"], indirect=True)


@pytest.fixture
def answers_late(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Methods that are carried out at once and answered after so many seconds."""
    late: dict[str, float] = {}
    call = Calls.call

    async def answer(
        self: Calls, team: str, method: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        answered = await asyncio.shield(asyncio.ensure_future(call(self, team, method, arguments)))
        await asyncio.sleep(late.get(method, 0.0))
        return answered

    monkeypatch.setattr(Calls, "call", answer)
    return late


def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview that closes waits hardly at all."""
    monkeypatch.setattr(botkit_adapters.showing, "CLOSE_SECONDS", 0.05)


def method_of(place: Any) -> str:
    return "chat.appendStream" if place.event.address["thread"] else "chat.update"


async def show_two(place: Any, process: Any, preview: Any) -> None:
    """Open a preview, and get a second call under way."""
    await preview.update(FIRST)
    await until(lambda: process.saved and process.saved[-1].get("ts"))
    await preview.update(MORE)


async def test_a_call_under_way_ends_before_the_reply(
    place: Any, answers_late: dict[str, float]
) -> None:
    answers_late[method_of(place)] = 0.3
    process = place.process()
    preview = process.preview()
    await show_two(place, process, preview)
    await place.slack.called(method_of(place))
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.shown == [FINAL]


async def test_a_call_whose_answer_is_not_waited_for_garbles_nothing(
    place: Any, answers_late: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly(monkeypatch)
    answers_late[method_of(place)] = 9.0
    process = place.process()
    preview = process.preview()
    await show_two(place, process, preview)
    await place.slack.called(method_of(place))
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.shown == [FINAL]


async def test_a_call_that_is_carried_out_after_the_reply_changes_nothing(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortly(monkeypatch)
    late = place.slack.faults.add(method_of(place), "slow", seconds=1.0)
    process = place.process()
    preview = process.preview()
    await show_two(place, process, preview)
    await until(lambda: late.hits == 1)
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.shown == [FINAL]
    await until(lambda: any(call.error for call in place.slack.calls))
    assert place.shown == [FINAL]


async def test_who_lost_the_conversation_shows_nothing(place: Any) -> None:
    process = place.process()
    process.holding = False
    preview = process.preview()
    await preview.update(FIRST)
    await asyncio.sleep(0.2)
    await preview.close()
    assert (place.slack.calls, place.shown) == ([], [])


async def test_who_loses_the_conversation_shows_no_more(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: process.saved and process.saved[-1].get("ts"))
    process.holding = False
    await preview.update(MORE)
    await asyncio.sleep(1.7)
    await preview.close()
    assert place.slack._done(method_of(place)) == []


async def test_an_opening_whose_answer_is_lost_is_gone_on_in(place: Any) -> None:
    opens = "chat.startStream" if place.event.address["thread"] else "chat.postMessage"
    place.slack.faults.add(opens, "drop_after")
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await place.slack.called(opens)
    await preview.update(MORE)
    await until(lambda: process.saved[-1].get("ts"))
    await preview.update(FINAL)
    await place.slack.called(method_of(place))
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.shown == place.slack.said(place.channel) == [FINAL]


async def test_an_opening_whose_answer_is_lost_at_the_end_is_replaced(place: Any) -> None:
    opens = "chat.startStream" if place.event.address["thread"] else "chat.postMessage"
    place.slack.faults.add(opens, "drop_after")
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await place.slack.called(opens)
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.slack.said(place.channel) == [FINAL]


@pytest.mark.parametrize("streams_again", [True, False])
async def test_a_process_that_died_in_opening_leaves_one_message(
    place: Any, streams_again: bool
) -> None:
    dying = place.process()
    preview = dying.preview()
    await preview.update(FIRST)
    await until(lambda: len(dying.saved) == 2)
    await preview.close()
    kept = dying.saved[0]  # and nothing of what came after
    assert not kept["ts"]
    heir = place.process()
    if streams_again:
        preview = heir.preview(kept)
        await preview.update("Other words, by now, of the same")
        await until(lambda: bool(heir.saved))
        await preview.close()
        kept = heir.saved[-1]
    await heir.deliver("Other words.", kept)
    assert place.slack.said(place.channel) == ["Other words."]


async def test_a_process_that_died_before_opening_costs_no_reply(place: Any) -> None:
    dying = place.process()
    place.slack.faults.add("chat.startStream", "drop_before")
    place.slack.faults.add("chat.postMessage", "drop_before")
    preview = dying.preview()
    await preview.update(FIRST)
    await until(lambda: len(dying.saved) == 1)
    await asyncio.sleep(0.1)
    await preview.close()
    heir = place.process()
    preview = heir.preview(dying.saved[0])
    await preview.update(FIRST)
    await asyncio.sleep(0.2)
    await preview.close()
    assert place.slack.said(place.channel) == []
    await heir.deliver(FINAL, dying.saved[0])
    assert place.slack.said(place.channel) == [FINAL]


@in_a_thread
async def test_only_the_stream_that_was_opened_is_taken_for_it(place: Any) -> None:
    dying = place.process()
    state, thread = place.slack.state, place.event.address["thread"]
    other = {"user": state.bot_user, "thread_ts": thread, "text": "From elsewhere in this app."}
    state.post(place.channel, other, from_bot=True)
    await dying.deliver(FIRST)  # the same words, but a reply
    file = File("a.txt", FIRST.encode())
    await dying.deliver(Reply(files=(file,)))
    ada = {"user": place.event.sender.id, "thread_ts": thread, "text": FIRST}
    state.post(place.channel, ada, from_bot=False)
    before = place.slack.said(place.channel)
    preview = dying.preview()
    await preview.update(FIRST)
    await until(lambda: len(dying.saved) == 2)
    await preview.close()
    await place.process().deliver(FINAL, dying.saved[0])
    assert place.slack.said(place.channel) == [*before, FINAL]


async def test_a_refused_opening_is_forgotten(place: Any) -> None:
    opens = "chat.startStream" if place.event.address["thread"] else "chat.postMessage"
    place.slack.faults.add(opens, "error", reason="restricted_action")
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    assert process.saved[-1] == {}
    await process.deliver(FINAL, process.saved[-1])
    assert place.shown == [FINAL]
    assert not [call for call in place.slack.calls if call.method.startswith("conversations")]


async def test_an_opening_that_has_to_wait_is_made_later(place: Any) -> None:
    opens = "chat.startStream" if place.event.address["thread"] else "chat.postMessage"
    place.slack.faults.add(opens, "429", seconds=0.1)
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.update(MORE)
    await until(lambda: len(process.saved) == 4)
    await preview.close()
    await process.deliver(FINAL, process.saved[-1])
    assert place.slack.said(place.channel) == [FINAL]


@pytest.mark.parametrize("reply", [Reply(), Reply(files=(File("a.txt", b"a"),))])
@pytest.mark.parametrize("known", [True, False])
async def test_a_reply_without_text_removes_the_preview(
    place: Any, reply: Reply, known: bool
) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    await process.deliver(reply, process.saved[-1] if known else process.saved[0])
    assert place.slack.said(place.channel) == ["" for _ in reply.files]


async def test_a_removal_that_fails_is_no_loss(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    saved = process.saved[-1]
    place.slack.faults.add("chat.delete", "drop_after")
    await process.deliver(Reply(), saved)
    assert place.slack.said(place.channel) == []
    assert "message_not_found" in [call.error for call in place.slack.calls]
    await process.deliver(Reply(), saved)


@in_a_direct_message
async def test_an_ended_edit_is_replaced_in_place(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await show_two(place, process, preview)
    await place.slack.called("chat.update")
    await preview.close()
    (receipt,) = await process.deliver(FINAL, process.saved[-1])
    assert receipt.message_id == process.saved[-1]["ts"]
    assert place.slack.said(place.channel) == [FINAL]


async def test_a_reply_in_place_of_its_preview_bears_the_mark(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    ends = "chat.stopStream" if place.event.address["thread"] else "chat.update"
    place.slack.faults.add(ends, "drop_after")
    await process.deliver(FINAL, process.saved[-1])
    assert place.slack.said(place.channel) == [FINAL]
    assert len(place.slack._done(ends)) == 1


async def test_a_reply_that_replaced_nothing_is_found(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    place.channel.posted.pop()  # somebody removed it
    place.slack.faults.add("chat.postMessage", "drop_after")
    await process.deliver(FINAL, process.saved[-1])
    assert place.slack.said(place.channel) == [FINAL]


async def test_where_slack_does_not_tell_the_reply_comes_without(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    await preview.update(FIRST)
    await until(lambda: len(process.saved) == 2)
    await preview.close()
    method = "conversations.replies" if place.event.address["thread"] else "conversations.history"
    place.slack.faults.add(method, "error", reason="missing_scope")
    await process.deliver(FINAL, process.saved[0])
    assert place.slack.said(place.channel)[-1] == FINAL
    place.slack.faults.add(method, "5xx", times=9)
    await process.deliver("More.", process.saved[0])
    assert place.slack.said(place.channel)[-1] == "More."


@in_a_thread
async def test_an_append_whose_answer_is_lost_leaves_what_is_shown_unknown(place: Any) -> None:
    process = place.process()
    preview = process.preview()
    place.slack.faults.add("chat.appendStream", "drop_after")
    await show_two(place, process, preview)
    await place.slack.called("chat.appendStream")
    await preview.close()
    assert process.adapter._streams.take(place.channel.id, process.saved[-1]["ts"]) is None
    await process.deliver(FINAL, process.saved[-1])
    assert place.slack.said(place.channel) == [FINAL]


def test_streams_of_other_deliveries_are_forgotten() -> None:
    streams = Streams()
    for number in range(STREAMS + 10):
        streams.put("C", str(number), "text")
    assert streams.take("C", "9") is None
    assert streams.take("C", "10") == "text"
    assert streams.take("C", "10") is None
