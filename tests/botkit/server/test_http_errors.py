"""Every answer that is not a success: OpenAI's shape and a request id, whatever went wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai_contract
import pytest

from botkit.completion.scripted import ScriptedCompletion
from botkit.server import ServerLimits

CHAT = "/v1/chat/completions"


async def shaped(reply: Any) -> dict[str, Any]:
    """The error of a reply, after checking its shape and headers."""
    body = await reply.json()
    openai_contract.check("ErrorResponse", body)
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert reply.headers["x-request-id"]
    assert reply.content_type == "application/json"
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "unknown_url"),
        ("GET", "/v1/nope", 404, "unknown_url"),
        ("GET", "/%0d%0aX-Evil:1", 404, "unknown_url"),
        ("PUT", "/v1/models", 405, "method_not_allowed"),
        ("GET", CHAT, 405, "method_not_allowed"),
        ("GET", "/v1/models/unknown", 404, "model_not_found"),
        ("GET", "/v1/engines/unknown", 404, "model_not_found"),
    ],
)
async def test_routing(run: Any, method: str, path: str, status: int, code: str) -> None:
    server = await run(ScriptedCompletion())
    async with server.http.request(method, path) as reply:
        assert reply.status == status
        assert (await shaped(reply))["code"] == code


async def test_allow_is_kept(run: Any) -> None:
    server = await run(ScriptedCompletion())
    async with server.http.get(CHAT) as reply:
        assert reply.headers["allow"] == "POST"


async def test_an_unexpected_error_is_500_and_its_text_stays_inside(
    run: Any, chat: Any, caplog: Any
) -> None:
    def bug(request: Any) -> str:
        raise ValueError(request.messages[0].content)

    server = await run(ScriptedCompletion(replies=bug))
    async with server.http.post(CHAT, json=chat) as reply:
        assert reply.status == 500
        error = await shaped(reply)
        assert reply.headers["x-request-id"] in error["message"]
    assert "ValueError" in caplog.text
    assert "my friend" not in caplog.text + error["message"]


async def test_not_ready_is_503(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion(), started=False)
    async with server.http.post(CHAT, json=chat) as reply:
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) >= 1
        assert "loading" in (await shaped(reply))["message"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported_content_type"),
        ({"content-encoding": "rot13"}, 415, "unsupported_content_encoding"),
        ({"content-encoding": "gzip"}, 400, None),
        ({"expect": "a miracle"}, 417, None),
    ],
)
async def test_bodies_of_the_wrong_kind(
    run: Any, headers: dict[str, str], status: int, code: str | None
) -> None:
    server = await run(ScriptedCompletion())
    sent = {"content-type": "application/json", **headers}
    async with server.http.post(CHAT, data=b'{"model": "scripted"}', headers=sent) as reply:
        assert reply.status == status
        assert code is None or (await shaped(reply))["code"] == code


async def test_a_body_without_a_content_type_is_taken_as_json(run: Any, chat: Any) -> None:
    server = await run(ScriptedCompletion())
    async with server.http.post(
        CHAT, data=json.dumps(chat).encode(), skip_auto_headers=["content-type"]
    ) as reply:
        assert reply.status == 200


async def test_the_clients_id_is_echoed_when_it_is_sane(run: Any) -> None:
    server = await run(ScriptedCompletion())
    async with server.http.get("/healthz", headers={"x-request-id": "trace-1.2"}) as reply:
        assert reply.headers["x-request-id"] == "trace-1.2"
    for strange in ("a b", "x" * 200, "ünder"):
        async with server.http.get("/healthz", headers={"x-request-id": strange}) as reply:
            assert reply.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400),
        (b"POST /v1/edits HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    ],
)
async def test_malformed_http(run: Any, raw: bytes, status: int) -> None:
    server = await run(ScriptedCompletion())
    head, body = await exchange(server.port, raw)
    assert head.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.0 %d " % status))
    assert b"x-request-id:" in head.lower()
    openai_contract.check("ErrorResponse", json.loads(body))


async def test_too_many_headers(run: Any) -> None:
    server = await run(ScriptedCompletion(), limits=ServerLimits(headers=10))
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(50))
    head, _ = await exchange(server.port, b"GET /healthz HTTP/1.1\r\n" + lines + b"\r\n")
    assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 431", b"HTTP/1.0 431"))


async def exchange(port: int, raw: bytes) -> tuple[bytes, bytes]:
    """Send raw bytes; the head and body of what comes back before the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body
