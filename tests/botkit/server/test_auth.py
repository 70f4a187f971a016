"""API keys."""

from __future__ import annotations

from typing import Any

import pytest

from botkit.completion.scripted import ScriptedCompletion
from botkit.server.page import CSP

KEYS = ("key-one", "schlüssel")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "invalid_api_key"),
        ("key-one", "invalid_api_key"),
        ("Bearer ", "invalid_api_key"),
        ("Basic key-one", "invalid_api_key"),
        ("Bearer key-on", "invalid_api_key"),
        ("Bearer key-one key-one", "invalid_api_key"),
    ],
)
async def test_without_a_right_key_nothing_is_answered(
    run: Any, chat: Any, authorization: str | None, code: str
) -> None:
    server = await run(ScriptedCompletion(), api_keys=KEYS)
    headers = {} if authorization is None else {"authorization": authorization}
    for method, path in [
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("GET", "/v1/nope"),
        ("GET", "/%76%31/models"),
        ("GET", "/v1//models"),
    ]:
        async with server.http.request(method, path, headers=headers) as reply:
            assert reply.status == 401
            assert reply.headers["www-authenticate"] == "Bearer"
            assert reply.headers["x-request-id"]
            error = (await reply.json())["error"]
            assert error["type"] == "invalid_request_error"
            assert error["code"] == code
            assert "key-on" not in error["message"]
    assert server.service.completion.counts.started == 0


@pytest.mark.parametrize("key", KEYS)
async def test_each_key_opens(run: Any, chat: Any, key: str) -> None:
    server = await run(ScriptedCompletion(), api_keys=KEYS)
    headers = {"authorization": f"Bearer {key}"}
    async with server.http.post("/v1/chat/completions", json=chat, headers=headers) as reply:
        assert reply.status == 200


async def test_health_page_and_schema_are_free(run: Any) -> None:
    server = await run(ScriptedCompletion(), api_keys=KEYS, page=b"<h1>hello</h1>")
    for path in ("/", "/healthz", "/readyz", "/openapi.json"):
        async with server.http.get(path) as reply:
            assert reply.status == 200
    async with server.http.get("/") as reply:
        assert reply.content_type == "text/html"
        assert await reply.read() == b"<h1>hello</h1>"
        assert reply.headers["content-security-policy"] == CSP
        assert reply.headers["x-content-type-options"] == "nosniff"
