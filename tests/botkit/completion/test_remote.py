"""The remote completion over the real SDK, against our own server and against worse ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from endpoint import endpoint
from waiting import until

from botkit.completion import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    Completion,
    Embedder,
    EmbeddingRequest,
    Scorer,
    TextCompleter,
    TextCompletionRequest,
)
from botkit.completion.remote import MODELS_SECONDS, RemoteCompletion, remote_completion
from botkit.completion.script import Broken
from botkit.completion.scripted import ScriptedCompletion, echo
from botkit.errors import (
    AuthenticationError,
    CompletionError,
    CompletionUnavailableError,
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
    SettingsError,
    UnsupportedParameterError,
)
from botkit.server import create_app, listening


def chat(**fields: Any) -> ChatCompletionRequest:
    messages = [{"role": "user", "content": "one two three"}]
    return ChatCompletionRequest(model="scripted", messages=messages, **fields)  # type: ignore[arg-type]


@pytest.fixture
async def connect() -> AsyncIterator[Any]:
    """``await connect(completion)``: a remote completion of a server that serves it."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def start(completion: ScriptedCompletion, **options: Any) -> RemoteCompletion:
            await completion.start()
            app = create_app(completion, api_keys=["right"])
            url = await stack.enter_async_context(listening(app, drain_seconds=0.1))
            remote = RemoteCompletion(f"{url}/v1", **{"api_key": "right", **options})
            await remote.start()
            stack.push_async_callback(remote.aclose)
            return remote

        yield start


async def test_it_says_what_the_other_side_says(connect: Any) -> None:
    remote = await connect(ScriptedCompletion(replies=echo))
    assert isinstance(remote, Completion)
    assert isinstance(remote, TextCompleter)
    assert isinstance(remote, Embedder)
    assert not isinstance(remote, Scorer)
    request = chat(logprobs=True, top_logprobs=2, top_k=5, n=2, max_completion_tokens=2)
    reply = await remote.complete(request)
    assert [choice.message.content for choice in reply.choices] == ["one two"] * 2
    assert reply.choices[0].finish_reason == "length"
    assert reply.choices[0].logprobs
    assert reply.usage
    assert reply.usage.completion_tokens == 4


async def test_streams(connect: Any) -> None:
    remote = await connect(ScriptedCompletion(replies=echo))
    request = chat(stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in remote.stream(request)]
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == "one two three"
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 3
    text = TextCompletionRequest(model="scripted", prompt="a b c")
    parts = [part async for part in remote.stream_text(text)]
    assert "".join(part.choices[0].text for part in parts) == "a b c"


async def test_text_and_embeddings(connect: Any) -> None:
    remote = await connect(ScriptedCompletion(replies=echo))
    text = await remote.complete_text(TextCompletionRequest(model="scripted", prompt=["a", "b"]))
    assert [choice.text for choice in text.choices] == ["a", "b"]
    for encoding, kind in (("float", list), ("base64", str)):
        request = EmbeddingRequest(model="scripted", input="a", encoding_format=encoding)  # type: ignore[arg-type]
        assert isinstance((await remote.embed(request)).data[0].embedding, kind)


async def test_leaving_a_stream_stops_the_other_side(connect: Any) -> None:
    scripted = ScriptedCompletion(["a b c"], delay=0.01)
    remote = await connect(scripted)
    stream = remote.stream(chat(stream=True))
    await anext(stream)
    await stream.aclose()
    await until(lambda: scripted.counts.cancelled == 1)


async def test_cancelling_a_request_stops_the_other_side(connect: Any) -> None:
    scripted = ScriptedCompletion(["a"], gate=asyncio.Event())
    remote = await connect(scripted)
    task = asyncio.create_task(remote.complete(chat()))
    await until(lambda: scripted.counts.running == 1)
    task.cancel()
    await until(lambda: scripted.counts.cancelled == 1)


async def test_its_errors_are_ours_again(connect: Any) -> None:
    remote = await connect(
        ScriptedCompletion(
            [
                OverloadedError("full", retry_after=7),
                CompletionUnavailableError("gone", retry_after=9),
                DeadlineExceededError("late"),
                UnsupportedParameterError("tools"),
            ]
        )
    )
    seen = []
    for _ in range(4):
        with pytest.raises(CompletionError) as caught:
            await remote.complete(chat())
        seen.append(caught.value)
    assert [type(error) for error in seen] == [
        OverloadedError,
        CompletionUnavailableError,
        DeadlineExceededError,
        InvalidRequestError,
    ]
    assert [error.retry_after for error in seen] == [7, 9, None, None]
    assert seen[0].message == "full"
    assert (seen[3].param, seen[3].code) == ("tools", "unsupported_parameter")


async def test_an_error_in_the_middle_of_a_stream(connect: Any) -> None:
    remote = await connect(
        ScriptedCompletion([Broken("so far", OverloadedError("x", retry_after=1))])
    )
    said: list[str | None] = []
    with pytest.raises(OverloadedError, match="x"):
        await collect(remote.stream(chat(stream=True)), said)
    assert "".join(filter(None, said)) == "so far"


async def test_a_connection_that_breaks_in_the_middle_of_a_stream() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        chunk = ChatCompletionChunk(id="x", created=1, model="m", choices=[])
        await response.write(f"data: {chunk.to_json()}\n\n".encode())
        assert request.transport
        request.transport.abort()
        return response

    async with endpoint(answer) as url:
        remote = RemoteCompletion(url, model="m")
        await remote.start()
        stream = remote.stream(chat(stream=True))
        assert (await anext(stream)).id == "x"
        with pytest.raises(CompletionUnavailableError, match="broke"):
            await anext(stream)
        await remote.aclose()


async def collect(stream: Any, said: list[str | None]) -> None:
    async for chunk in stream:
        said.append(chunk.choices[0].delta.content)


async def test_a_wrong_key(connect: Any) -> None:
    remote = await connect(ScriptedCompletion(), api_key="wrong-key")
    with pytest.raises(AuthenticationError) as caught:
        await remote.complete(chat())
    assert "wrong-key" not in caught.value.message


async def test_models_are_listed_once_and_again_later(connect: Any) -> None:
    now = [0.0]
    scripted = ScriptedCompletion(model="first")
    remote = await connect(scripted, clock=lambda: now[0])
    assert [model.id for model in await remote.models()] == ["first"]
    scripted.model = "second"
    assert [model.id for model in await remote.models()] == ["first"]
    now[0] += MODELS_SECONDS + 1
    assert [model.id for model in await remote.models()] == ["second"]


async def test_nobody_there() -> None:
    remote = RemoteCompletion("http://127.0.0.1:9/v1", model="m")
    with pytest.raises(CompletionUnavailableError, match="not started"):
        await remote.complete(chat())
    await remote.start()
    assert [model.id for model in await remote.models()] == ["m"]
    with pytest.raises(CompletionUnavailableError, match="cannot be reached"):
        await remote.complete(chat())
    with pytest.raises(CompletionUnavailableError):
        await anext(remote.stream(chat()))
    await remote.aclose()
    assert not remote.ready


@pytest.mark.parametrize(
    ("status", "kind", "body", "expected"),
    [
        (200, "text/html", "<h1>hello</h1>", 502),
        (200, "application/json", '{"choices": 3}', 502),
        (200, "application/json", "not json", 502),
        (500, "text/html", "<h1>oops</h1>", 500),
        (502, "application/json", '{"error": "flat"}', 502),
        (403, "application/json", '{"error": {"message": "no", "type": "x"}}', 403),
        (418, "application/json", "[]", 418),
    ],
)
async def test_endpoints_that_are_not_quite_openai(
    status: int, kind: str, body: str, expected: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=kind)

    async with endpoint(answer) as url:
        remote = RemoteCompletion(url, model="m")
        await remote.start()
        with pytest.raises(CompletionError) as caught:
            await remote.complete(chat())
        await remote.aclose()
    assert caught.value.status == expected


async def test_an_endpoint_that_never_answers() -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with endpoint(answer) as url:
        remote = RemoteCompletion(url, model="m", timeout=0.2)
        await remote.start()
        with pytest.raises(DeadlineExceededError):
            await remote.complete(chat())
        await remote.aclose()


def test_openais_own_endpoint_wants_a_key() -> None:
    class Nothing:
        openai_base_url = None
        openai_api_key = None
        model = "m"

    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        remote_completion(Nothing())


def test_the_factory_takes_the_real_settings() -> None:
    from botkit.settings import Settings

    settings = Settings.load(openai_base_url="http://127.0.0.1:9/v1", model="m")
    assert not remote_completion(settings).ready


async def test_only_a_chosen_model_is_offered(monkeypatch: Any) -> None:
    from botkit.settings import Settings

    scripted = ScriptedCompletion()
    await scripted.start()
    async with listening(create_app(scripted), drain_seconds=0.1) as url:
        for chosen, offered in (("", "scripted"), ("m", "m")):
            monkeypatch.setenv("BOTKIT_MODEL", chosen)
            remote = remote_completion(Settings.load(openai_base_url=f"{url}/v1"))
            await remote.start()
            assert [model.id for model in await remote.models()] == [offered]
            await remote.aclose()


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "x": [1]}}}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CALLED: dict[str, Any] = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "refusal": None,
                "tool_calls": [CALL],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
}


async def test_tools_pass_both_ways_as_they_are() -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response(CALLED)

    given: dict[str, Any] = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "y", "tool_call_id": "1"},
        ],
        "tools": [TOOL, {"type": "custom", "custom": {"name": "g"}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
        "structured_outputs": {"regex": "a"},
        "reasoning_effort": "high",
    }
    async with endpoint(answer) as url:
        remote = RemoteCompletion(url, model="m")
        await remote.start()
        reply = await remote.complete(ChatCompletionRequest.model_validate(given))
        await remote.aclose()
    (sent,) = asked
    given["messages"][1].pop("content")  # null and absent are one
    assert sent == given
    assert json.loads(reply.to_json())["choices"] == CALLED["choices"]
