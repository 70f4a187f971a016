"""Chat completions over HTTP: the exact bytes of a stream, errors before and within it."""

from __future__ import annotations

import json
from typing import Any

from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion, echo
from botkit.errors import OverloadedError

CHAT = "/v1/chat/completions"


async def test_a_stream_is_exactly_openais(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion(["Hi you"]))
    async with server.http.post(CHAT, json={**chat, "stream": True}) as reply:
        raw = (await reply.read()).decode()
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["x-accel-buffering"] == "no"
    assert raw.endswith("\n\ndata: [DONE]\n\n")
    events = [line.removeprefix("data: ") for line in raw.removesuffix("\n\n").split("\n\n")]
    chunks = [json.loads(event) for event in events[:-1]]
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hi"},
        {"content": " you"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert all("usage" not in chunk for chunk in chunks)


async def test_usage_is_null_until_the_last_chunk(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion(["Hi you"]))
    body = {**chat, "stream": True, "stream_options": {"include_usage": True}}
    async with server.http.post(CHAT, json=body) as reply:
        lines = (await reply.text()).split("\n\n")[:-2]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 5


async def test_an_error_before_the_first_chunk_is_a_status(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion([OverloadedError("The queue is full.", retry_after=1.2)]))
    for stream in (True, False):
        async with server.http.post(CHAT, json={**chat, "stream": stream}) as reply:
            assert reply.status == 429
            assert reply.headers["retry-after"] == "2"
            assert (await reply.json())["error"] == {
                "message": "The queue is full.",
                "type": "rate_limit_error",
                "param": None,
                "code": "rate_limit_exceeded",
            }


async def test_an_error_within_a_stream_is_its_last_event(run: Any, chat: Any) -> None:
    error = OverloadedError("Lost the thread.", retry_after=1)
    server = await run(ScriptedCompletion([Broken("so far", error)]))
    async with server.http.post(CHAT, json={**chat, "stream": True}) as reply:
        assert reply.status == 200
        events = (await reply.text()).removesuffix("\n\n").split("\n\n")
    assert json.loads(events[-1].removeprefix("data: "))["error"]["message"] == "Lost the thread."
    assert not any("[DONE]" in event for event in events)


async def test_a_bug_within_a_stream_ends_it_without_its_text(
    run: Any, chat: Any, caplog: Any
) -> None:
    class Buggy(ScriptedCompletion):
        async def stream(self, request: Any) -> Any:
            async for chunk in super().stream(request):
                yield chunk
                if chunk.choices[0].delta.content:
                    raise RuntimeError(request.messages[0].content)

    server = await run(Buggy(["Hi you"]))
    async with server.http.post(CHAT, json={**chat, "stream": True}) as reply:
        events = (await reply.text()).removesuffix("\n\n").split("\n\n")
        request_id = reply.headers["x-request-id"]
    error = json.loads(events[-1].removeprefix("data: "))["error"]
    assert error["type"] == "server_error"
    assert request_id in error["message"]
    assert "RuntimeError" in caplog.text
    assert "my friend" not in caplog.text + events[-1]


async def test_the_engine_in_the_path_is_the_model(run: Any) -> None:
    server = await run(ScriptedCompletion(replies=echo), aliases={"davinci": "scripted"})
    async with server.http.post(
        "/v1/engines/davinci/completions", json={"prompt": ["a", "b"], "n": 2, "model": "ignored"}
    ) as reply:
        body = await reply.json()
    assert body["model"] == "scripted"
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]


async def test_any_model_can_be_an_alias_too(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion(), aliases={"*": "scripted"})
    async with server.http.post(CHAT, json={**chat, "model": "gpt-4o"}) as reply:
        assert (await reply.json())["model"] == "scripted"


async def test_edits_hand_input_and_instruction_to_the_model(run: Any) -> None:
    server = await run(ScriptedCompletion(replies=echo))
    body = {"model": "scripted", "input": "teh cat", "instruction": "Fix the spelling", "n": 2}
    async with server.http.post("/v1/edits", json=body) as reply:
        said = await reply.json()
    assert said["object"] == "edit"
    assert [choice["index"] for choice in said["choices"]] == [0, 1]
    assert "teh cat" in said["choices"][0]["text"]
    assert "Fix the spelling" in said["choices"][0]["text"]


async def test_a_chat_only_completion_refuses_the_rest_by_name(run: Any) -> None:
    from botkit.completion.fallback import FallbackCompletion

    server = await run(FallbackCompletion([ScriptedCompletion()]))
    for path, body in [
        ("/v1/completions", {"prompt": "x"}),
        ("/v1/embeddings", {"input": "x"}),
        ("/v1/engines/scripted/search", {"documents": ["x"], "query": "x"}),
    ]:
        async with server.http.post(path, json={"model": "scripted", **body}) as reply:
            assert reply.status == 400
            assert (await reply.json())["error"]["code"] == "unsupported_endpoint"
