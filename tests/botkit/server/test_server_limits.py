"""Sizes, deadlines and the connection cap."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from typing import Any

import pytest
from waiting import until

from botkit.completion.scripted import ScriptedCompletion
from botkit.server import ServerLimits

CHAT = "/v1/chat/completions"
JSON = {"content-type": "application/json"}
SHORT = ServerLimits(head_seconds=0.2, body_seconds=0.2, write_seconds=0.3, idle_seconds=0.5)
PIECES = 8


async def raw(port: int, data: bytes, *, within: float = 20.0) -> tuple[bytes, float]:
    """Send and wait for the server to close: what it said, and the seconds it took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), within)
    writer.close()
    return answer, time.monotonic() - began


async def test_a_large_body_is_refused_before_it_is_read(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=ServerLimits(body_bytes=1000))
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" % CHAT.encode()
    answer, took = await raw(server.port, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"request_too_large" in answer
    assert took < 9


async def test_a_large_chunked_body_is_refused(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=ServerLimits(body_bytes=1000))

    async def pieces() -> Any:
        for _ in range(PIECES):
            yield b" " * 500

    async with server.http.post(CHAT, data=pieces(), headers=JSON) as reply:
        assert reply.status == 413
        assert reply.headers["x-request-id"]
        assert (await reply.json())["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_read(run: Any, chat: Any, encoding: str) -> None:
    server = await run(ScriptedCompletion())
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    headers = {**JSON, "content-encoding": encoding}
    body = compress(json.dumps(chat).encode())
    async with server.http.post(CHAT, data=body, headers=headers) as reply:
        assert reply.status == 200


async def test_a_bomb_is_refused_and_costs_little(run: Any) -> None:
    server = await run(ScriptedCompletion())
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    megabyte = b" " * (1 << 20)
    bomb = b"".join(squeezer.compress(megabyte) for _ in range(256)) + squeezer.flush()
    assert len(bomb) < 1 << 20
    began = time.process_time()
    headers = {**JSON, "content-encoding": "gzip"}
    async with server.http.post(CHAT, data=bomb, headers=headers) as reply:
        assert reply.status == 413
        assert (await reply.json())["error"]["code"] == "request_too_large"
    assert time.process_time() - began < 2


async def test_truncated_gzip_is_400(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion())
    body = gzip.compress(json.dumps(chat).encode())[:-12]
    headers = {**JSON, "content-encoding": "gzip"}
    async with server.http.post(CHAT, data=body, headers=headers) as reply:
        assert reply.status == 400
        assert (await reply.json())["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("begin", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: 1"])
async def test_a_head_that_never_ends(run: Any, begin: bytes) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    answer, took = await raw(server.port, begin)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"X-Request-Id: req_" in answer
    assert 0.1 < took < 9


async def test_the_rest_of_a_refused_body_is_no_begin_of_a_head(run: Any) -> None:
    limits = ServerLimits(head_seconds=0.3, body_seconds=5, idle_seconds=20)
    server = await run(ScriptedCompletion(), limits=limits, api_keys=["right"])
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = b"{}" * 50
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" % CHAT.encode()
    writer.write(head + body[:10])
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
    writer.write(body[10:])
    await asyncio.sleep(1.0)  # three times as long as a head may take
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    rest = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert b"HTTP/1.1 200 " in rest
    assert b" 408 " not in rest


async def test_a_head_that_trickles(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    began = time.monotonic()

    async def trickle() -> None:
        while True:
            writer.write(b"X-A: 1\r\n")
            await asyncio.sleep(0.05)

    task = asyncio.create_task(trickle())
    answer = await asyncio.wait_for(reader.read(), 20)
    task.cancel()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 9


async def test_a_second_head_that_never_ends(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    whole = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(whole)
    await reader.readuntil(b'{"status":"ok"}')
    writer.write(b"GET /heal")
    rest = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert rest.startswith(b"HTTP/1.1 408 ")


async def test_an_idle_connection_is_closed_silently(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    answer, took = await raw(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert 0.3 < took < 9


async def test_a_body_that_never_ends(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{" % CHAT.encode()
    answer, took = await raw(server.port, head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer
    assert took < 9


async def test_a_body_for_no_route_does_not_hold_the_connection(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=SHORT)
    head = b"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
    answer, took = await raw(server.port, head)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert took < 9


async def test_connections_beyond_the_cap_are_told_so(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=ServerLimits(connections=3))
    held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
    answer, _ = await raw(server.port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"too_many_connections" in answer
    assert b"X-Request-Id: req_" in answer
    async with server.http.post(CHAT, data=b" " * 100_000, headers=JSON) as reply:
        assert reply.status == 503
        assert (await reply.json())["error"]["code"] == "too_many_connections"
    held[0][1].close()
    await held[0][1].wait_closed()
    await asyncio.sleep(0.05)
    async with server.http.get("/healthz") as reply:
        assert reply.status == 200
    for _, writer in held[1:]:
        writer.close()


async def test_a_client_that_stops_reading_is_dropped(run: Any, chat: Any) -> None:
    completion = ScriptedCompletion([("x" * 4000 + " ") * 5000])
    server = await run(completion, limits=SHORT)
    body = json.dumps({**chat, "stream": True}).encode()
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(body))
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(head + body)
    await until(lambda: completion.counts.cancelled == 1)
    writer.close()
    assert server.service.stats.in_flight == 0
