"""A message whose answer was lost is found, however much was said since."""

from __future__ import annotations

from typing import Any

import pytest

import botkit_adapters.slack.history
from botkit.adapter import Outgoing
from botkit.errors import DeliveryRefusedError, DeliveryUncertainError
from botkit.replies import Reply


def talk(place: Any, count: int) -> None:
    """Others say something."""
    thread = place.event.address["thread"]
    where = {"thread_ts": thread} if thread else {}
    for number in range(count):
        said = {"user": place.event.sender.id, "text": f"talk {number}", **where}
        place.slack.state.post(place.channel, said, from_bot=False)


async def send_and_lose(place: Any) -> Outgoing:
    place.slack.faults.add("chat.postMessage", "drop_after")
    (payload,) = place.processes[0].adapter.render(Reply("hello"), place.event)
    outgoing = Outgoing(1, payload)
    with pytest.raises(DeliveryUncertainError):
        await place.processes[0].adapter.deliver(outgoing)
    return Outgoing(1, payload, 2, True)


@pytest.mark.parametrize("before", [0, 450])
@pytest.mark.parametrize("after", [0, 450])
async def test_it_is_found(place: Any, before: int, after: int) -> None:
    process = place.process()
    talk(place, before)
    outgoing = await send_and_lose(place)
    talk(place, after)
    receipt = await process.adapter.find(outgoing)
    (sent,) = (each for each in place.channel.posted if each.from_bot)
    assert receipt is not None
    assert receipt.message_id == sent.ts


async def test_what_was_said_before_the_question_is_not_looked_at(place: Any) -> None:
    process = place.process()
    outgoing = await send_and_lose(place)
    await process.adapter.find(outgoing)
    (call,) = (each for each in place.slack.calls if each.method.startswith("conversations"))
    assert call.arguments["oldest"] == place.event.message_id


async def test_a_payload_of_an_older_version_is_found(place: Any) -> None:
    process = place.process()
    (payload,) = process.adapter.render(Reply("hello"), place.event)
    del payload["to"]["since"]
    place.slack.faults.add("chat.postMessage", "drop_after")
    with pytest.raises(DeliveryUncertainError):
        await process.adapter.deliver(Outgoing(1, payload))
    assert await process.adapter.find(Outgoing(1, payload, 2, True)) is not None


async def test_what_was_not_taken_is_not_found(place: Any) -> None:
    process = place.process()
    talk(place, 450)
    (payload,) = process.adapter.render(Reply("hello"), place.event)
    assert await process.adapter.find(Outgoing(1, payload, 2, True)) is None


async def test_too_much_to_look_through_is_not_taken_for_an_answer(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(botkit_adapters.slack.history, "PAGES", 1)
    process = place.process()
    talk(place, 450)
    (payload,) = process.adapter.render(Reply("hello"), place.event)
    with pytest.raises(DeliveryRefusedError):
        await process.adapter.find(Outgoing(1, payload, 2, True))
