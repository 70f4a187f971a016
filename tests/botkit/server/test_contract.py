"""Everything the server says is valid under OpenAI's own document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai_contract import check

from botkit.completion.scripted import ScriptedCompletion

CHAT_FIELDS: list[dict[str, Any]] = [
    {},
    {"n": 3, "max_tokens": 2},
    {"logprobs": True},
    {"logprobs": True, "top_logprobs": 3, "n": 2},
    {"stop": "two"},
]
TEXT_FIELDS: list[dict[str, Any]] = [
    {},
    {"prompt": ["a b", "c"], "n": 2},
    {"prompt": [1, 2, 3]},
    {"prompt": [[1, 2], [3]]},
    {"logprobs": 0},
    {"logprobs": 3, "echo": True},
    {"best_of": 3, "n": 2},
]


def events(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


@pytest.mark.parametrize("fields", CHAT_FIELDS)
async def test_chat(run: Any, chat: Any, fields: dict[str, Any]) -> None:
    server = await run(ScriptedCompletion(["one two three"]))
    async with server.http.post("/v1/chat/completions", json={**chat, **fields}) as reply:
        assert reply.status == 200
        check("CreateChatCompletionResponse", await reply.json())
    streamed = {**chat, **fields, "stream": True}
    async with server.http.post("/v1/chat/completions", json=streamed) as reply:
        chunks = events(await reply.text())
    for chunk in chunks:
        check("CreateChatCompletionStreamResponse", chunk)
    assert len(chunks) > 2


async def test_chat_usage_chunk(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion())
    body = {**chat, "stream": True, "stream_options": {"include_usage": True}}
    async with server.http.post("/v1/chat/completions", json=body) as reply:
        for chunk in events(await reply.text()):
            check("CreateChatCompletionStreamResponse", chunk)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fields", TEXT_FIELDS)
async def test_text(run: Any, fields: dict[str, Any], stream: bool) -> None:
    server = await run(ScriptedCompletion(["one two three"]))
    body = {"model": "scripted", "prompt": "x", **fields, "stream": stream}
    if stream:
        body.pop("best_of", None)
    async with server.http.post("/v1/completions", json=body) as reply:
        assert reply.status == 200
        answers = events(await reply.text()) if stream else [await reply.json()]
    assert answers
    for answer in answers:
        if stream:
            # The document's finish_reason is never null; in its own streams it is, until the end.
            for choice in answer["choices"]:
                choice["finish_reason"] = choice["finish_reason"] or "stop"
        check("CreateCompletionResponse", answer)


async def test_models_and_embeddings(run: Any) -> None:
    server = await run(ScriptedCompletion())
    async with server.http.get("/v1/models") as reply:
        check("ListModelsResponse", await reply.json())
    async with server.http.get("/v1/models/scripted") as reply:
        check("Model", await reply.json())
    body = {"model": "scripted", "input": ["a", "b"]}
    async with server.http.post("/v1/embeddings", json=body) as reply:
        check("CreateEmbeddingResponse", await reply.json())


def test_the_check_can_fail() -> None:
    with pytest.raises(AssertionError, match="finish_reason"):
        check(
            "CreateChatCompletionResponse",
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant"}, "logprobs": None}],
            },
        )
