"""A reply is told again as it was told, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.cache.reply import Gathered, Reply
from botkit.completion.chat import ChatCompletionChunk, ChatCompletionRequest, FinishReason
from botkit.completion.scripted import ScriptedCompletion


async def gathered(text: str, **fields: object) -> Gathered:
    """What a scripted completion says, put together."""
    asked = {
        "model": "scripted",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **fields,
    }
    found = Gathered()
    completion = ScriptedCompletion([text])
    async for chunk in completion.stream(ChatCompletionRequest.model_validate(asked)):
        found.add(chunk)
    return found


@pytest.mark.parametrize("text", ["Hello there, Ada!", "", "é 漢字 🎈\n```\ncode\n```"])
async def test_it_is_told_again_as_it_was_told(text: str) -> None:
    found = await gathered(text, logprobs=True, top_logprobs=2)
    reply = found.reply()
    assert reply is not None
    kept = Reply.decode("key", reply.encode("key"))
    assert kept is not None
    again = Gathered()
    for chunk in kept.chunks():
        again.add(chunk)
    assert again.completion() == found.completion()
    assert again.completion() is not None
    chunks = list(kept.chunks())
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.usage is not None for chunk in chunks].count(True) == 1


def test_a_thought_is_told_again() -> None:
    reply = Reply(
        id="1", created=1, model="m", content="yes", finish_reason="stop", reasoning_content="hm"
    )
    kept = Reply.decode("key", reply.encode("key"))
    assert kept is not None
    again = Gathered()
    for chunk in kept.chunks():
        again.add(chunk)
    completion = again.completion()
    assert completion is not None
    assert completion.choices[0].message.reasoning_content == "hm"
    assert again.reply() == reply


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
def test_damage_anywhere_is_seen(place: int, bit: int, cut: bool) -> None:
    reply = Reply(id="1", created=1, model="m", content="four words of text", finish_reason="stop")
    kept = bytearray(reply.encode("key"))
    place %= len(kept)
    if cut:
        del kept[place:]
    else:
        kept[place] ^= 1 << bit
    assert Reply.decode("key", bytes(kept)) is None
    assert Reply.decode("another key", reply.encode("key")) is None


def chunk(text: str | None, finish: FinishReason | None, **fields: object) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish, **fields}
    return ChatCompletionChunk.model_validate(
        {"id": "1", "created": 1, "model": "m", "choices": [choice]}
    )


@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        ([chunk("a", None), chunk(None, "stop")], True),
        ([chunk("a", None), chunk(None, "length")], True),
        ([chunk("a", None), chunk(None, "content_filter")], False),
        ([chunk("a", None), chunk(None, "tool_calls")], False),
        ([chunk("a", None)], False),
        ([chunk("a", None, index=1), chunk(None, "stop")], False),
        ([chunk(None, None, delta={"refusal": "no"}), chunk(None, "stop")], False),
        ([], False),
    ],
)
def test_only_what_is_whole_is_kept(chunks: list[ChatCompletionChunk], kept: bool) -> None:
    found = Gathered()
    for each in chunks:
        found.add(each)
    assert (found.reply() is not None) == kept


def test_what_another_model_answered_is_not_kept() -> None:
    found = Gathered(foreign=lambda model: model == "m")
    found.add(chunk("a", "stop"))
    assert found.reply() is None
