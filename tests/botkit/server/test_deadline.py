"""A client says how long it waits: in the body, in a header, or through its SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import openai
import pytest

from botkit.completion import ChatCompletionRequest
from botkit.completion.deadline import in_time
from botkit.completion.fallback import FallbackCompletion
from botkit.completion.remote import RemoteCompletion
from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import DeadlineExceededError
from botkit.server import SERVICE, create_app, listening

HELLO: dict[str, Any] = {"model": "scripted", "messages": [{"role": "user", "content": "hi"}]}
HELD = 0.2  # seconds; nothing is said before, so any time over it will do


@asynccontextmanager
async def held(said: int = 0) -> AsyncIterator[tuple[str, ScriptedCompletion]]:
    """A server whose completion says ``said`` words and then waits for ever."""

    class Held(ScriptedCompletion):
        async def _pause(self) -> None:
            self.spoken = getattr(self, "spoken", 0) + 1
            if self.spoken > said:
                await asyncio.Event().wait()

    completion = Held(["one two three"])
    app = create_app(completion)
    async with listening(app, drain_seconds=1.0) as url:
        await app[SERVICE].start()
        yield url, completion


async def asked(url: str, path: str, body: dict[str, Any], **headers: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/{path}", json=body, headers=headers) as reply,
    ):
        return reply.status, await reply.text()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", HELLO),
        ("completions", {"model": "scripted", "prompt": "hi"}),
        ("completions", {"model": "scripted", "prompt": "hi", "stream": True}),
        ("edits", {"model": "scripted", "instruction": "hi"}),
    ],
)
async def test_what_is_not_there_in_time_is_a_504_and_stops(
    path: str, body: dict[str, Any]
) -> None:
    async with held() as (url, completion):
        status, text = await asked(url, path, body, **{"X-Request-Timeout": str(HELD)})
        error = json.loads(text)["error"]
        assert (status, error["code"]) == (504, "deadline_exceeded")
        assert error["message"] == f"No answer within {HELD:g} s."
        assert completion.counts.running == 0
        assert completion.counts.cancelled == 1


@pytest.mark.parametrize("header", ["X-Stainless-Read-Timeout", "X-Stainless-Timeout"])
async def test_an_sdks_timeout_is_a_deadline(header: str) -> None:
    async with held() as (url, _):
        assert (await asked(url, "chat/completions", HELLO, **{header: str(HELD)}))[0] == 504


async def test_the_body_wins_over_the_headers() -> None:
    async with held() as (url, _):
        _, text = await asked(
            url, "chat/completions", {**HELLO, "deadline": 1}, **{"X-Request-Timeout": "100"}
        )
        assert "within 1 s" in text


async def test_a_stream_that_has_begun_ends_with_the_error() -> None:
    async with held(said=2) as (url, completion):
        status, text = await asked(
            url, "chat/completions", {**HELLO, "stream": True}, **{"X-Request-Timeout": str(HELD)}
        )
        events = [line.removeprefix("data: ") for line in text.splitlines() if line]
        error = json.loads(events[-1])["error"]
        assert status == 200
        assert (error["code"], error["message"]) == (
            "deadline_exceeded",
            f"No answer within {HELD:g} s.",
        )
        assert "one" in text
        assert completion.counts.running == 0


async def test_an_sdks_timeout_says_nothing_about_a_whole_stream() -> None:
    """It is for each wait for a byte; this reply takes longer, a word at a time."""
    app = create_app(ScriptedCompletion(["one two three four five"], delay=0.06))
    async with listening(app, drain_seconds=1.0) as url:
        await app[SERVICE].start()
        status, text = await asked(
            url, "chat/completions", {**HELLO, "stream": True}, **{"X-Stainless-Timeout": "0.2"}
        )
    assert (status, "[DONE]" in text, "error" in text) == (200, True, False)


@pytest.mark.parametrize("given", ["soon", "", "0", "-1", "nan", "inf", "1e9"])
async def test_a_header_that_says_nothing_is_refused_by_name(given: str) -> None:
    async with held() as (url, _):
        status, text = await asked(url, "chat/completions", HELLO, **{"X-Request-Timeout": given})
        assert status == 400
        assert json.loads(text)["error"]["param"] == "X-Request-Timeout"


@pytest.mark.parametrize("given", [0, 0.5, -1, "5", 1e9])
async def test_a_field_that_says_nothing_is_refused_by_name(given: Any) -> None:
    async with held() as (url, _):
        status, text = await asked(url, "chat/completions", {**HELLO, "deadline": given})
        assert status == 400
        assert json.loads(text)["error"]["param"] == "deadline"


async def test_the_sdks_timeout_reaches_the_completion() -> None:
    seen: list[float | None] = []

    def reply(request: Any) -> str:
        seen.append(request.deadline)
        return "hello"

    app = create_app(ScriptedCompletion(reply))
    async with listening(app, drain_seconds=1.0) as url:
        await app[SERVICE].start()
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="x") as client:
            await client.chat.completions.create(**HELLO, timeout=17)
            await client.chat.completions.create(**HELLO, extra_body={"deadline": 3})
    assert seen == [17, 3]


async def test_a_remote_endpoint_is_told_in_its_own_terms() -> None:
    """It gets the SDK's timeout, and no field that it may not know."""
    seen: list[float | None] = []

    def reply(request: Any) -> str:
        seen.append(request.deadline)
        return "hello"

    app = create_app(ScriptedCompletion(reply))
    async with listening(app, drain_seconds=1.0) as url:
        await app[SERVICE].start()
        remote = RemoteCompletion(f"{url}/v1", timeout=60)
        await remote.start()
        await remote.complete(ChatCompletionRequest.model_validate({**HELLO, "deadline": 5.0}))
        await remote.complete(ChatCompletionRequest.model_validate(HELLO))
        await remote.aclose()
    assert seen == [5.0, 60.0]


async def test_a_chain_keeps_the_sooner_of_two_deadlines() -> None:
    slow = ScriptedCompletion(["slow words"], model="a", gate=asyncio.Event())
    await slow.start()
    request = ChatCompletionRequest.model_validate({**HELLO, "deadline": 1.0})
    with pytest.raises(DeadlineExceededError, match="within 1 s"):
        await FallbackCompletion([slow], deadline=100).complete(request)


async def test_another_timeout_inside_is_not_taken_for_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with in_time(100):
            raise TimeoutError
