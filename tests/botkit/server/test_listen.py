"""From start to shutdown: readiness, signals, draining."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import aiohttp
import pytest
from waiting import until

from botkit.completion.scripted import ScriptedCompletion
from botkit.errors import CompletionUnavailableError, SettingsError
from botkit.server import SERVICE, create_app, listening, serve


async def test_alive_at_once_and_ready_later(run: Any) -> None:
    completion = ScriptedCompletion(start_delay=0.2)
    app = create_app(completion)
    stop, addresses, ready = asyncio.Event(), asyncio.Queue[str](), asyncio.Event()
    serving = asyncio.create_task(
        serve(app, port=0, stop=stop, on_listening=addresses.put_nowait, on_ready=ready.set)
    )
    url = await addresses.get()
    async with aiohttp.ClientSession(url) as http:
        async with http.get("/healthz") as reply:
            assert reply.status == 200
        async with http.get("/readyz") as reply:
            assert reply.status == 503
            assert await reply.json() == {
                "status": "unavailable",
                "reason": "the model is loading",
            }
        await ready.wait()
        async with http.get("/readyz") as reply:
            assert reply.status == 200
    stop.set()
    await serving
    assert not completion.ready


async def test_a_failed_start_ends_serve_with_its_error(caplog: Any) -> None:
    class Failing(ScriptedCompletion):
        async def start(self) -> None:
            raise CompletionUnavailableError("no weights here")

    app = create_app(Failing())
    with pytest.raises(CompletionUnavailableError, match="no weights"):
        await serve(app, port=0)
    assert "start-up failed: no weights here" in caplog.text
    assert "start-up failed" in (app[SERVICE].not_ready or "")


async def test_readyz_says_why_the_start_failed(run: Any) -> None:
    server = await run(ScriptedCompletion(), started=False)
    server.service.failure = "no weights here"
    async with server.http.get("/readyz") as reply:
        assert reply.status == 503
        assert (await reply.json())["reason"] == "start-up failed: no weights here"


async def test_an_alias_that_leads_nowhere_fails_the_start() -> None:
    app = create_app(ScriptedCompletion(), aliases={"old": "gone"})
    with pytest.raises(SettingsError, match=r"'old'.*'gone'.*scripted"):
        await app[SERVICE].start()


async def test_running_requests_finish_and_new_ones_are_refused(chat: Any) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["so long and thanks"], gate=gate)
    app = create_app(completion)
    async with aiohttp.ClientSession() as http:
        async with listening(app, drain_seconds=5) as url:
            await completion.start()
            async with http.get(f"{url}/healthz") as reply:
                assert reply.status == 200
            asked = asyncio.create_task(http.post(f"{url}/v1/chat/completions", json=chat))
            await until(lambda: completion.counts.running == 1)
            asyncio.get_running_loop().call_later(0.1, gate.set)
        reply = await asked
        assert reply.status == 200
        assert reply.headers["connection"] == "close"
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(f"{url}/healthz")
    assert completion.counts.finished == 1


async def test_what_does_not_finish_in_time_is_cancelled(chat: Any) -> None:
    completion = ScriptedCompletion(["never"], gate=asyncio.Event())
    app = create_app(completion)
    async with aiohttp.ClientSession() as http:
        async with listening(app, drain_seconds=0.1) as url:
            await completion.start()
            asked = asyncio.create_task(http.post(f"{url}/v1/chat/completions", json=chat))
            await until(lambda: completion.counts.running == 1)
        with pytest.raises(aiohttp.ClientError):
            await asked
    assert completion.counts.cancelled == 1


_PROGRAM = """
import asyncio
from botkit.completion.scripted import ScriptedCompletion
from botkit.server import create_app, serve
asyncio.run(serve(create_app(ScriptedCompletion(["a b c d"], delay=0.1)), port=0,
                  on_listening=lambda url: print(url, flush=True)))
print("ended", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_running_requests_finish(chat: Any, number: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, stdout=subprocess.PIPE
    )
    assert process.stdout
    url = (await process.stdout.readline()).decode().strip()
    async with (
        aiohttp.ClientSession(url) as http,
        http.post("/v1/chat/completions", json={**chat, "stream": True}) as reply,
    ):
        await reply.content.readline()
        process.send_signal(number)
        rest = await reply.text()
    assert rest.endswith("data: [DONE]\n\n")
    assert await process.stdout.read() == b"ended\n"
    assert await process.wait() == 0


def test_importing_the_server_imports_no_model_and_no_sdk() -> None:
    code = (
        "import sys, botkit.server; "
        "print([name for name in ('jax', 'openai', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
