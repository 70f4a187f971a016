"""Which sites may ask, and which only look as if they might."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from web_visitor import Visitor, bot_on_the_web

from botkit_adapters.web.origins import Origins, parse_origin, parse_pattern
from botkit_adapters.web.refusals import RefusalError

LIST = (
    "https://shop.example",
    "https://*.wide.example",
    "http://dev.example:3000",
    "https://*.ports.example:8443",
    "https://bücher.example",
    "http://[::1]:3000",
    "https://UPPER.example",
)

ALLOWED = (
    "https://shop.example",
    "https://shop.example:443",
    "HTTPS://Shop.Example",
    "https://a.wide.example",
    "https://a.b.wide.example",
    "http://dev.example:3000",
    "https://x.ports.example:8443",
    "https://xn--bcher-kva.example",
    "http://[::1]:3000",
    "http://[0:0:0:0:0:0:0:1]:3000",
    "https://upper.example",
)

REFUSED = (
    "null",
    "",
    "*",
    "https://",
    "https:///",
    "shop.example",
    "//shop.example",
    "https:shop.example",
    "http://shop.example",  # scheme
    "ftp://shop.example",
    "wss://shop.example",
    "file://shop.example",
    "https://shop.example:8443",  # port
    "https://shop.example:80",
    "https://shop.example:0",
    "https://shop.example:99999",
    "https://shop.example:",
    "https://shop.example:443:443",
    "https://evilshop.example",  # suffixes and prefixes
    "https://shop.example.evil.example",
    "https://shop.examples",
    "https://shop.exampl",
    "https://sub.shop.example",
    "https://wide.example",  # below it only
    "https://evilwide.example",
    "https://a.wide.example.evil.example",
    "https://.wide.example",
    "https://a..wide.example",
    "http://a.wide.example",
    "https://a.wide.example:8443",
    "https://x.ports.example",
    "https://a.wide.example.",  # trailing dot
    "https://shop.example.",
    "https://shop.example/",  # more than an origin
    "https://shop.example/path",
    "https://shop.example?x",
    "https://shop.example#x",
    "https://shop.example@evil.example",
    "https://evil.example@shop.example",
    "https://user:pass@shop.example",
    "https://shop.example\\.evil.example",
    "https://shop.example%2eevil.example",
    "https://shop.example evil.example",
    "https://shop.example,https://evil.example",
    " https://shop.example",
    "https://shop.example ",
    "https://shop.example\n",
    "https://shop.example\x00",
    "https://[::1]",
    "https://[::2]:3000",
    "http://[::1%25lo]:3000",
    "http://[::1]:3000.evil.example",
    "http://::1:3000",
    "https://bücher.example",  # browsers never write it so
    "https://xn--bcher-kva.example.evil.example",
    "https://ｓhop.example",
    "https://shop。example",
    "http://2130706433:3000",
)


@pytest.mark.parametrize("origin", ALLOWED)
def test_the_list_is_let_in(origin: str) -> None:
    assert Origins.of(LIST).allows(origin, "bot.example")


@pytest.mark.parametrize("origin", REFUSED)
def test_nobody_else_is(origin: str) -> None:
    assert not Origins.of(LIST).allows(origin, "bot.example")


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "https://*",
        "https://*.com",
        "https://*.",
        "https://a.*.example",
        "https://*shop.example",
        "shop.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://user@shop.example",
        "ftp://shop.example",
        "null",
        "https://shop.example:port",
        "https://shop example",
    ],
)
def test_what_cannot_be_on_the_list(text: str) -> None:
    with pytest.raises(ValueError, match="BOTKIT_WEB_ORIGINS"):
        parse_pattern(text)


@pytest.mark.parametrize(
    ("origin", "host", "own", "allowed"),
    [
        ("http://localhost:8080", "localhost:8080", None, True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", None, True),
        ("http://127.9.9.9:8080", "127.9.9.9:8080", None, True),
        ("http://[::1]:8080", "[::1]:8080", None, True),
        ("https://app.localhost", "app.localhost", None, True),
        ("http://localhost:8081", "localhost:8080", None, False),
        ("http://127.0.0.1:8080", "localhost:8080", None, False),
        # A name that somebody made lead to this machine (DNS rebinding).
        ("http://rebound.example:8080", "rebound.example:8080", None, False),
        ("http://localhost.evil.example:8080", "localhost.evil.example:8080", None, False),
        ("http://evillocalhost:8080", "evillocalhost:8080", None, False),
        ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", None, False),
        ("https://bot.example", "bot.example", None, False),
        ("https://bot.example", "anything", "https://bot.example", True),
        ("https://bot.example:443", "anything", "https://bot.example", True),
        ("http://bot.example", "bot.example", "https://bot.example", False),
        ("http://localhost:8080", "localhost:8080", "https://bot.example", False),
    ],
)
def test_this_very_server(origin: str, host: str, own: str | None, allowed: bool) -> None:
    assert Origins.of([], own).allows(origin, host) is allowed


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "Cross-Site"}, False),
        ({"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": ""}, False),
    ],
)
def test_requests_without_an_origin(headers: dict[str, str], allowed: bool) -> None:
    request = make_mocked_request("GET", "/", headers={"Host": "bot.example", **headers})
    if allowed:
        assert Origins.of(LIST).check(request) == headers.get("Origin", "")
    else:
        with pytest.raises(RefusalError):
            Origins.of(LIST).check(request)


def test_two_origins_are_none() -> None:
    sent = [("Host", "bot.example"), *[("Origin", "https://shop.example")] * 2]
    request = make_mocked_request("GET", "/", headers=sent)  # type: ignore[arg-type]
    with pytest.raises(RefusalError):
        Origins.of(LIST).check(request)


def test_equal_origins_are_written_alike() -> None:
    assert parse_origin("http://a.example:80") == parse_origin("HTTP://A.example")


ROUTES = (
    ("POST", "/web/sessions"),
    ("GET", "/web/stream"),
    ("POST", "/web/messages"),
    ("GET", "/web/messages"),
    ("POST", "/web/feedback"),
    ("POST", "/web/files"),
    ("GET", "/web/files/f_1"),
    ("POST", "/chat"),
)


async def test_every_route_looks(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path, web_origins=LIST) as site:
        stranger = Visitor(site.http, site.address, "https://evil.example")
        friend = Visitor(site.http, site.address, "https://shop.example")
        for method, path in ROUTES:
            status, body = await stranger.ask(method, path, json={})
            assert (status, body["error"]["code"]) == (403, "origin_not_allowed"), path
            assert "Access-Control-Allow-Origin" not in stranger.answer.headers
            assert stranger.answer.headers["Vary"] == "Origin"
            status, body = await friend.ask(method, path, json={})
            assert status < 500
            assert status != 403, path
            headers = friend.answer.headers
            assert headers["Access-Control-Allow-Origin"] == "https://shop.example", path
            assert "Access-Control-Allow-Credentials" not in headers
            assert headers["Vary"] == "Origin"
            asked = {"Access-Control-Request-Method": method}
            status, _ = await stranger.ask("OPTIONS", path, headers=asked)
            assert status == 403
            status, _ = await friend.ask("OPTIONS", path, headers=asked)
            assert status == 204
            allowed = friend.answer.headers
            assert method in allowed["Access-Control-Allow-Methods"].split(", ")
            assert "authorization" in allowed["Access-Control-Allow-Headers"]
            assert int(allowed["Access-Control-Max-Age"]) > 0
        # A token does not help where the page may not be.
        await friend.begin()
        friend.origin = "https://sub.shop.example"
        status, body = await friend.ask("GET", f"/web/stream?session={friend.session}")
        assert (status, body["error"]["code"]) == (403, "origin_not_allowed")
        # The page's own server is no reason, under a name that anybody may have given it.
        assert (await Visitor(site.http, site.address).ask("POST", "/chat", json={}))[0] == 400
        async with site.http.post(
            f"{site.address}/web/sessions",
            headers={"Host": "rebound.example", "Origin": "http://rebound.example"},
        ) as response:
            assert response.status == 403


async def test_without_a_list_only_this_machine_is_let_in(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path) as site, aiohttp.ClientSession(site.address) as http:
        for host, sent, status in (
            ("rebound.example", {}, 403),
            ("rebound.example", {"Origin": "http://rebound.example"}, 403),
            ("rebound.example", {"Sec-Fetch-Site": "same-origin"}, 403),
            ("localhost", {}, 200),
            ("localhost", {"Origin": "http://localhost"}, 200),
            ("localhost", {"Origin": "http://localhost:3000"}, 403),
            ("localhost", {"Origin": "null"}, 403),
        ):
            headers = {"Host": host, **sent}
            async with http.post("/web/sessions", json={}, headers=headers) as response:
                assert response.status == status, headers
