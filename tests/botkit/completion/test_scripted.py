"""The scripted completion is as real on the wire as a model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from botkit.completion import (
    ChatCompletionRequest,
    Completion,
    Embedder,
    EmbeddingRequest,
    Scorer,
    TextCompleter,
    TextCompletionRequest,
)
from botkit.completion.script import words, write
from botkit.completion.scripted import ScriptedCompletion, echo_completion
from botkit.errors import InvalidRequestError, UnsupportedParameterError


def chat(**fields: Any) -> ChatCompletionRequest:
    messages = [{"role": "user", "content": "tell me"}]
    return ChatCompletionRequest(model="scripted", messages=messages, **fields)  # type: ignore[arg-type]


def test_it_has_every_ability() -> None:
    completion = echo_completion(None)
    for ability in (Completion, TextCompleter, Embedder, Scorer):
        assert isinstance(completion, ability)


@pytest.mark.parametrize("text", ["", " ", "a", " a b\n\nc  ", "x\n"])
def test_words_joined_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@pytest.mark.parametrize(
    ("limit", "stops", "text", "reason"),
    [
        (None, (), "one two three", "stop"),
        (2, (), "one two", "length"),
        (9, (), "one two three", "stop"),
        (None, ("three", "tw"), "one ", "stop"),
        (1, ("three",), "one", "length"),
        (None, ("zzz",), "one two three", "stop"),
    ],
)
def test_limits_and_stops(
    limit: int | None, stops: tuple[str, ...], text: str, reason: str
) -> None:
    written = write("one two three", limit=limit, stops=stops)
    assert (written.text, written.finish_reason) == (text, reason)


async def test_replies_in_turn_one_per_choice() -> None:
    completion = ScriptedCompletion(["a", "b", "c"])
    reply = await completion.complete(chat(n=2))
    assert [choice.message.content for choice in reply.choices] == ["a", "b"]
    reply = await completion.complete(chat(n=2))
    assert [choice.message.content for choice in reply.choices] == ["c", "a"]


async def test_a_cancelled_generation_is_counted() -> None:
    completion = ScriptedCompletion(["a b"], gate=asyncio.Event())
    task = asyncio.create_task(completion.complete(chat()))
    await asyncio.sleep(0)
    assert completion.counts.running == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert completion.counts.cancelled == 1
    completion.gate = None
    stream = completion.stream(chat())
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    assert completion.counts.cancelled == 2
    assert completion.counts.running == 0


async def test_what_it_cannot_do_is_refused() -> None:
    completion = ScriptedCompletion()
    with pytest.raises(UnsupportedParameterError, match="'tools'"):
        await completion.complete(chat(tools=[{"type": "function"}]))
    await completion.complete(chat(tools=[], response_format={"type": "text"}, store=False))
    with pytest.raises(UnsupportedParameterError, match="'suffix'"):
        await completion.complete_text(TextCompletionRequest(model="m", suffix="x"))
    with pytest.raises(InvalidRequestError, match="16 dimensions"):
        await completion.embed(EmbeddingRequest(model="m", input="x", dimensions=17))


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "tool", "content": "x", "tool_call_id": "1"}, "messages[1].role"),
        ({"role": "assistant", "tool_calls": [CALL]}, "messages[1].tool_calls"),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            "messages[1].content[0]",
        ),
    ],
)
async def test_what_it_cannot_read_is_refused(message: dict[str, Any], param: str) -> None:
    request = ChatCompletionRequest.model_validate(
        {"model": "m", "messages": [{"role": "user", "content": "x"}, message]}
    )
    with pytest.raises(UnsupportedParameterError) as caught:
        await ScriptedCompletion().complete(request)
    assert caught.value.param == param


async def test_padding_against_eavesdroppers_is_refused() -> None:
    request = chat(stream=True, stream_options={"include_obfuscation": True})
    with pytest.raises(UnsupportedParameterError, match="include_obfuscation"):
        await anext(ScriptedCompletion().stream(request))


async def test_text_offsets_with_and_without_the_prompt() -> None:
    completion = ScriptedCompletion(["c d"])
    request = TextCompletionRequest(model="m", prompt="a b", logprobs=1)
    logprobs = (await completion.complete_text(request)).choices[0].logprobs
    assert logprobs
    assert (logprobs.tokens, logprobs.text_offset) == (["c", " d"], [3, 4])
    echoed = request.model_copy(update={"echo": True})
    logprobs = (await completion.complete_text(echoed)).choices[0].logprobs
    assert logprobs
    assert logprobs.text_offset == [0, 1, 3, 4]
