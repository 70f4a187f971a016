"""Answers in the shapes that servers send which are not quite OpenAI, through the real SDK."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from endpoint import endpoint

from botkit.completion import ChatCompletion, ChatCompletionRequest, TextCompletionRequest
from botkit.completion.chat import ReplyMessage
from botkit.completion.remote import RemoteCompletion
from botkit.completion.remote_answers import made_whole

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ANSWER = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def said(message: dict[str, Any], **choice: Any) -> dict[str, Any]:
    return {
        **ANSWER,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
    }


@asynccontextmanager
async def asked(*answers: Any) -> AsyncIterator[RemoteCompletion]:
    """A remote completion of a server that says just this; several are the events of a stream."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if len(answers) == 1:
            return web.json_response(answers[0])
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in answers:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async with endpoint(answer) as url:
        remote = RemoteCompletion(url)
        await remote.start()
        try:
            yield remote
        finally:
            await remote.aclose()


def chat(**fields: Any) -> ChatCompletionRequest:
    messages = [{"role": "user", "content": "hi"}]
    return ChatCompletionRequest(model="m", messages=messages, **fields)  # type: ignore[arg-type]


HELLO = {"role": "assistant", "content": "hello"}


@pytest.mark.parametrize(
    ("answer", "content", "finish_reason"),
    [
        (said(HELLO), "hello", "stop"),  # as Ollama and llama.cpp say it
        (said(HELLO, finish_reason="eos_token"), "hello", "stop"),
        (said(HELLO, finish_reason="insufficient_system_resource"), "hello", "length"),
        (said({"role": "assistant", "tool_calls": [CALL]}, finish_reason="tool_calls"), None, None),
        ({**said(HELLO), "service_tier": "on_demand"}, "hello", "stop"),
        ({**said(HELLO), "object": ""}, "hello", "stop"),
        ({**said({"content": "hello"})}, "hello", "stop"),
    ],
)
async def test_what_is_left_out_or_called_otherwise(
    answer: dict[str, Any], content: str | None, finish_reason: str | None
) -> None:
    async with asked(answer) as remote:
        reply = await remote.complete(chat())
    choice = reply.choices[0]
    assert choice.message.content == content
    assert choice.finish_reason == (finish_reason or "tool_calls")
    assert (choice.message.role, choice.message.refusal, choice.logprobs) == (
        "assistant",
        None,
        None,
    )
    assert bool(choice.message.tool_calls) == (finish_reason is None)


async def test_what_is_no_answer_is_still_refused() -> None:
    from botkit.errors import CompletionError

    for answer in (
        said(HELLO, finish_reason="error"),
        said(HELLO, finish_reason={"type": "stop"}),
        said({"content": 3}),
        {"choices": [3]},
    ):
        async with asked(answer) as remote:
            with pytest.raises(CompletionError) as caught:
                await remote.complete(chat())
        assert caught.value.status == 502


async def test_thoughts_by_either_name() -> None:
    for name in ("reasoning", "reasoning_content"):
        async with asked(said({**HELLO, name: "hm"})) as remote:
            reply = await remote.complete(chat())
        assert reply.choices[0].message.reasoning_content == "hm"
        events = [
            {**CHUNK, "choices": [{"index": 0, "delta": {name: "hm"}}]},
            {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        ]
        async with asked(*events) as remote:
            chunks = [chunk async for chunk in remote.stream(chat(stream=True))]
        assert chunks[0].choices[0].delta.reasoning_content == "hm"


async def test_a_stream_with_empty_texts_for_nothing() -> None:
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}  # as Azure begins
    delta = {"role": "", "content": "hel", "tool_calls": None}
    events = [
        first,
        {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": ""}]},
        {**CHUNK, "choices": [{"index": 0, "delta": {"content": "lo"}}]},
        {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "end_turn"}]},
    ]
    async with asked(*events) as remote:
        chunks = [chunk async for chunk in remote.stream(chat(stream=True))]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "hello"
    assert [choice.finish_reason for choice in choices] == [None, None, "stop"]


async def test_log_probabilities_without_bytes_or_alternatives() -> None:
    told = {"content": [{"token": "a", "logprob": -0.5}]}
    async with asked(said(HELLO, logprobs=told)) as remote:
        reply = await remote.complete(chat(logprobs=True))
    logprobs = reply.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert (logprobs.content[0].bytes, logprobs.content[0].top_logprobs) == (None, [])


async def test_text_completions_and_models_too() -> None:
    text = {**ANSWER, "object": "text_completion", "choices": [{"text": "b"}]}
    async with asked(text) as remote:
        reply = await remote.complete_text(TextCompletionRequest(model="m", prompt="a"))
    assert (reply.choices[0].text, reply.choices[0].index) == ("b", 0)
    async with asked({"object": "list", "data": [{"id": "m", "object": "model"}]}) as remote:
        assert [model.id for model in await remote.models()] == ["m"]


def test_a_whole_answer_stays_as_it_is() -> None:
    message = ReplyMessage(content="a", refusal=None, reasoning_content="hm")
    answer = said(json.loads(message.to_json()), logprobs=None)
    assert made_whole(copy.deepcopy(answer)) == answer
    assert ChatCompletion.model_validate(answer)
