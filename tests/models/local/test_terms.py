"""What requests say about when and for whom they are answered, and what replies say of it."""

import asyncio
import time

import pytest
from waiting import until

from botkit.completion import ChatCompletionRequest, EmbeddingRequest, TextCompletionRequest
from botkit.errors import DeadlineExceededError, UnsupportedParameterError
from botkit_models.local.terms import chat_terms, reading_terms, text_terms, used_tier


def chat(**fields):
    messages = [{"role": "user", "content": "the rain"}]
    return ChatCompletionRequest(model="tiny", messages=messages, **fields)


@pytest.mark.parametrize(
    ("tier", "priority", "used"),
    [
        (None, "interactive", "default"),
        ("auto", "interactive", "default"),
        ("default", "interactive", "default"),
        ("priority", "interactive", "default"),
        ("flex", "batch", "flex"),
    ],
)
async def test_flex_is_batch_work_and_replies_say_so(local, tier, priority, used):
    request = chat(service_tier=tier, max_tokens=2)
    assert chat_terms(request).priority == priority
    assert used_tier(request) == used
    assert (await local.complete(request)).service_tier == used
    assert {chunk.service_tier async for chunk in local.stream(request)} == {used}


async def test_a_tier_that_is_sold_apart_is_refused(local):
    with pytest.raises(UnsupportedParameterError) as refused:
        await local.complete(chat(service_tier="scale"))
    assert refused.value.param == "service_tier"


def test_people_who_are_named_take_turns():
    assert chat_terms(chat()).client == ""
    assert chat_terms(chat(user="ada")).client == "ada"
    assert chat_terms(chat(user="ada", safety_identifier="x")).client == "x"
    assert text_terms(TextCompletionRequest(model="m", prompt="x", user="ada")).client == "ada"


def test_seconds_become_a_time():
    before = time.monotonic()
    deadline = chat_terms(chat(deadline=30.0)).deadline
    assert before + 30 <= deadline <= time.monotonic() + 30
    assert chat_terms(chat()).deadline is None


def test_more_texts_than_slots_are_batch_work():
    request = EmbeddingRequest(model="m", input=["a"] * 5, user="ada")
    assert reading_terms(request, request.inputs, slots=4).priority == "batch"
    assert reading_terms(request, request.inputs, slots=5).priority == "interactive"
    assert reading_terms(request, request.inputs, slots=5).client == "ada"


async def test_a_reply_stops_at_its_deadline_by_itself(local):
    """Without a server around it that would."""
    await until(lambda: not local.stats.active)
    failed, expired = local.stats.failed, local.stats.expired
    request = chat(max_tokens=400).model_copy(update={"deadline": 0.05})
    with pytest.raises(DeadlineExceededError):
        await local.complete(request)
    assert (local.stats.failed, local.stats.expired) == (failed + 1, expired + 1)
    assert not local.stats.active


async def test_batch_work_leaves_a_slot(local):
    """Four slots: three replies of batch work are written, the fourth waits, a person does not."""
    await until(lambda: not local.stats.active)
    batch = [asyncio.create_task(local.complete(chat(service_tier="flex"))) for _ in range(6)]
    try:
        await until(lambda: local.stats.active == 3)
        reply = await local.complete(chat(max_tokens=2))
        assert reply.usage.completion_tokens == 2
        assert not any(task.done() for task in batch)
    finally:
        for task in batch:
            task.cancel()
        await asyncio.gather(*batch, return_exceptions=True)
    await until(lambda: not local.stats.active)
