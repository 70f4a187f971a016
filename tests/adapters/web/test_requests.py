"""Requests that are wrong, too large, too often, or come while the store is away."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from web_visitor import Site, Visitor, bot_on_the_web

from botkit.errors import StoreError
from botkit.store.sqlite import SQLiteDriver
from botkit_adapters.web.rates import Limit, client_address, network
from botkit_adapters.web.refusals import RefusalError

ID = str(uuid.uuid4())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ID},
        {"id": ID, "text": ""},
        {"id": ID, "text": " \n "},
        {"id": "5", "text": "x"},
        {"id": ID + "\n", "text": "x"},
        {"id": 5, "text": "x"},
        {"id": ID, "text": 5},
        {"id": ID, "text": None},
        {"id": ID, "text": "x", "kind": "feedback"},
        {"id": ID, "text": "x", "kind": "lifecycle"},
        {"id": ID, "text": "x", "surprise": 1},
        {"id": ID, "text": "x", "files": "f_1"},
        {"id": ID, "text": "x", "files": [5]},
        {"id": ID, "text": "x", "locale": "de\r\nX: y"},
        {"id": ID, "text": "x", "locale": "x" * 65},
        {"id": ID, "kind": "command", "name": "not a name"},
        {"id": ID, "kind": "command", "name": ""},
        {"id": ID, "kind": "command", "name": "/reset"},
        {"id": ID, "kind": "action", "name": "x", "about": "m1"},
        {"id": ID, "kind": "stop"},
        {"id": ID, "kind": "stop", "about": "a\x00"},
        {"id": ID, "kind": "action", "name": "x", "about": "m1\n"},
        {"id": ID, "text": "x", "replaces": "\x00"},
        {"id": ID, "text": "x", "replaces": "\x7f"},
        {"id": ID, "text": "x", "files": ["f_\x00"]},
        [],
        "text",
        None,
    ],
)
async def test_wrong_messages_are_refused(site: Site, visitor: Visitor, body: Any) -> None:
    status, answer = await visitor.ask("POST", "/web/messages", json=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")
    assert answer["error"]["message"]
    assert ID not in answer["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"id": "\\ud800"}', b"[" * 5000, b"nul", b'{"id": 1e999}']
)
async def test_what_is_no_json(visitor: Visitor, body: bytes) -> None:
    status, answer = await visitor.ask("POST", "/web/messages", data=body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")


async def test_characters_of_every_kind_come_back(site: Site, visitor: Visitor) -> None:
    text = "a b \u202e\U0001f44b\u2028\r\n\t\ufeff \\ \" ' </script> <b>"
    async with visitor.page() as page:
        said = await visitor.say(text)
        assert (await page.answered(said)).startswith("1: a b \u202e\U0001f44b\u2028")
        assert page.entries[0]["text"] == text


async def test_long_messages(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, limit_characters=100) as site:
        visitor = await site.visitor()
        assert visitor.about["limits"]["text"] == 100
        assert (await visitor.send(id=ID, text="\U0001f44b" * 100))[0] == 202
        for text in ("x" * 101, "x" * 10_000_000):
            status, body = await visitor.send(id=str(uuid.uuid4()), text=text)
            assert (status, body["error"]["code"]) == (413, "message_too_long")
            assert body["error"]["limit"] == 100
            assert visitor.answer.headers["Access-Control-Allow-Origin"] == site.address
        fields = {"id": str(uuid.uuid4()), "kind": "command", "name": "help", "text": "x" * 98}
        assert (await visitor.send(**fields))[0] == 413

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b" " * 10_000

        status, body = await visitor.ask("POST", "/web/messages", data=endless())
        assert (status, body["error"]["code"]) == (413, "message_too_long")


async def test_a_flood_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_rate="5/minute") as site:
        visitor = await site.visitor()
        answers = [await visitor.send(id=str(uuid.uuid4()), text="x") for _ in range(9)]
        assert [status for status, _ in answers] == [202] * 5 + [429] * 4
        assert answers[-1][1]["error"]["code"] == "rate_limited"
        assert 1 <= int(visitor.answer.headers["Retry-After"]) <= 60
        assert visitor.answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
        rating = {"message": "m1", "value": "positive"}
        assert (await visitor.ask("POST", "/web/feedback", json=rating))[0] == 429
        stranger = await site.visitor()
        assert (await stranger.send(id=str(uuid.uuid4()), text="x"))[0] == 202


async def test_new_visitors_are_counted_by_where_they_come_from(tmp_path: Path) -> None:
    options = {"web_session_rate": "2/hour", "web_proxies": 1, "web_origins": ("http://a.example",)}
    async with bot_on_the_web(tmp_path, **options) as site:

        async def begin(forwarded: str, token: str = "") -> tuple[int, Any]:
            visitor = Visitor(site.http, site.address, "http://a.example")
            visitor.token = token
            headers = {"X-Forwarded-For": forwarded}
            return await visitor.ask("POST", "/web/sessions", json={}, headers=headers)

        first = await begin("198.51.100.1")
        assert first[0] == 200
        # What a visitor writes into the header itself stands before what the proxy adds.
        assert (await begin("203.0.113.9, 198.51.100.1"))[0] == 200
        assert (await begin("203.0.113.10, 198.51.100.1"))[0] == 429
        assert (await begin("198.51.100.2"))[0] == 200
        assert (await begin("198.51.100.1", first[1]["token"]))[0] == 200
        chat = Visitor(site.http, site.address, "http://a.example")
        headers = {"X-Forwarded-For": "198.51.100.1"}
        status, body = await chat.ask("POST", "/chat", json={"prompt": "x"}, headers=headers)
        assert (status, body["error"]["code"]) == (429, "rate_limited")


class Request:
    """What :func:`client_address` looks at."""

    def __init__(self, remote: str | None, *forwarded: str) -> None:
        from multidict import CIMultiDict

        self.remote = remote
        self.headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "found"),
    [
        ("192.0.2.1", (), 0, "192.0.2.1"),
        ("192.0.2.1", ("203.0.113.1",), 0, "192.0.2.1"),
        ("192.0.2.1", ("203.0.113.1",), 1, "203.0.113.1"),
        ("192.0.2.1", ("1.1.1.1, 203.0.113.1",), 1, "203.0.113.1"),
        ("192.0.2.1", ("1.1.1.1, 203.0.113.1, 10.0.0.1",), 2, "203.0.113.1"),
        ("192.0.2.1", ("1.1.1.1", "203.0.113.1"), 1, "203.0.113.1"),
        ("192.0.2.1", ("203.0.113.1:4711",), 1, "203.0.113.1"),
        ("192.0.2.1", ("[2001:db8::1]:4711",), 1, "2001:db8::"),
        ("192.0.2.1", ("2001:db8:0:0:ffff::1",), 1, "2001:db8::"),
        ("192.0.2.1", ("::ffff:203.0.113.1",), 1, "203.0.113.1"),
        ("192.0.2.1", ("unknown",), 1, "192.0.2.1"),
        ("192.0.2.1", ("",), 1, "192.0.2.1"),
        ("192.0.2.1", (), 3, "192.0.2.1"),
        (None, (), 0, "::"),
    ],
)
def test_where_a_request_comes_from(
    remote: str | None, forwarded: tuple[str, ...], proxies: int, found: str
) -> None:
    address = client_address(Request(remote, *forwarded), proxies)  # type: ignore[arg-type]
    assert network(address).removesuffix("/64") == found


def test_a_limit_opens_again() -> None:
    now = 1000.0
    limit = Limit("2/minute;3/hour", lambda: now)
    limit.take("a")
    limit.take("a")
    with pytest.raises(RefusalError) as caught:
        limit.take("a")
    assert caught.value.retry_after == 60
    limit.take("b")
    now += 61
    limit.take("a")
    with pytest.raises(RefusalError) as caught:
        limit.take("a")
    assert "59 minutes" in caught.value.message
    Limit("off").take("a")


async def test_without_the_store_nothing_is_said_to_be_kept(
    site: Site, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = str(uuid.uuid4())
    away = True
    run = SQLiteDriver.run

    async def fail(self: Any, script: Any, *, reads: bool = False) -> Any:
        if away:
            raise StoreError("the database is away")
        return await run(self, script, reads=reads)

    async with visitor.page() as page:
        with monkeypatch.context() as patched:
            patched.setattr(SQLiteDriver, "run", fail)
            for method, path, body in (
                ("POST", "/web/messages", {"id": said, "text": "hello"}),
                ("GET", "/web/messages", None),
                ("GET", f"/web/stream?session={visitor.session}", None),
                ("POST", "/web/feedback", {"message": "m1", "value": "positive"}),
                ("POST", "/web/files", "x"),
                ("POST", "/chat", {"prompt": "x"}),
            ):
                status, answer = await visitor.ask(method, path, data=json.dumps(body))
                assert (status, answer["error"]["code"]) == (503, "unavailable"), path
                assert visitor.answer.headers["Retry-After"]
            await asyncio.sleep(1.2)  # those who look for news fail, and look again
        away = False
        assert (await visitor.send(id=said, text="hello"))[0] == 202
        assert await page.answered(said) == "1: hello"


async def test_other_methods_and_paths(site: Site, visitor: Visitor) -> None:
    for method, path, found, code in (
        ("DELETE", "/web/messages", 405, "method_not_allowed"),
        ("PUT", "/web/files/f_1", 405, "method_not_allowed"),
        ("GET", "/web/nothing", 404, "not_found"),
        ("OPTIONS", "/web/nothing", 404, "not_found"),
    ):
        status, body = await visitor.ask(method, path)
        assert (status, body["error"]["code"]) == (found, code)
        assert visitor.answer.headers["Access-Control-Allow-Origin"] == site.address
    await visitor.ask("DELETE", "/web/messages")
    assert visitor.answer.headers["Allow"] == "POST, GET"
    evil = Visitor(site.http, site.address, "https://evil.example")
    for path in ("/web/nothing", "/web/messages"):
        assert (await evil.ask("PUT", path))[0] == 403
        assert "Access-Control-Allow-Origin" not in evil.answer.headers
