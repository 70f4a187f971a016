"""A client that leaves stops its generation, at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from waiting import until

from botkit.completion.scripted import ScriptedCompletion


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("abort", [True, False])
async def test_leaving_cancels(run: Any, chat: Any, path: str, stream: bool, abort: bool) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["never said"], gate=gate)
    server = await run(completion)
    fields = chat if "chat" in path else {"model": "scripted", "prompt": "x"}
    body = json.dumps({**fields, "stream": stream}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body))
    )
    writer.write(body)
    await until(lambda: completion.counts.running == 1)
    if abort:
        writer.transport.abort()
    else:
        writer.close()
    await until(lambda: completion.counts.cancelled == 1)
    assert completion.counts.finished == 0
    await until(lambda: server.service.stats.in_flight == 0)
    assert server.service.stats.cancelled == 1


async def test_the_others_go_on(run: Any, chat: Any) -> None:
    gate = asyncio.Event()
    completion = ScriptedCompletion(["a b c"], gate=gate)
    server = await run(completion)
    asks = [
        asyncio.create_task(server.http.post("/v1/chat/completions", json=chat)) for _ in range(3)
    ]
    await until(lambda: completion.counts.running == 3)
    asks[0].cancel()
    await until(lambda: completion.counts.cancelled == 1)
    gate.set()
    for ask in asks[1:]:
        assert (await ask).status == 200
    assert completion.counts.finished == 2
