"""The console's key: without it there is nothing, and whoever guesses is slowed."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from botkit.console.gate import WRONG_KEYS, Gate, _network
from botkit.errors import SettingsError
from botkit.settings import Settings

KEY = "a key of the console's own"
API = [
    ("GET", "overview"),
    ("GET", "conversations"),
    ("GET", "conversation?key=stage:s:c1:"),
    ("GET", "turns"),
    ("GET", "turns/1"),
    ("GET", "feedback"),
    ("GET", "dead-letters"),
    ("POST", "dead-letters/1/retry"),
]


async def test_without_a_key_there_is_no_console(console: Any) -> None:
    async with console(console_key=None) as opened:
        bot = opened.stage.application
        assert not [route for route in bot.open_routes if "console" in route.path]
        for method, path in [("GET", ""), ("GET", "/page/console.js"), ("GET", "/api/overview")]:
            async with opened.http.request(method, f"{opened.address}/console{path}") as reply:
                assert reply.status == 404


async def test_every_route_of_the_api_asks_for_the_key(console: Any) -> None:
    async with console() as opened:
        routes = {(r.method, r.path) for r in opened.stage.application.open_routes}
        told = {(method, path) for method, path in routes if path.startswith("/console/api/")}
        assert len(told) == len(API)  # none is missing here
        for method, path in API:
            for headers in ({}, {"authorization": KEY}, {"authorization": "Bearer "}):
                where = f"{opened.address}/console/api/{path}"
                async with opened.http.request(method, where, headers=headers) as reply:
                    assert reply.status == 401, path
                    assert reply.headers["www-authenticate"] == "Bearer"
                    assert (await reply.json()).keys() == {"error"}


async def test_the_servers_keys_do_not_open_it_and_its_key_opens_nothing_else(
    console: Any,
) -> None:
    async with console(api_keys=["a key for clients"]) as opened:
        await opened.get("overview")
        opened.headers = {"authorization": "Bearer a key for clients"}
        await opened.get("overview", 401)
        headers = {"authorization": f"Bearer {KEY}"}
        async with opened.http.get(f"{opened.address}/metrics", headers=headers) as reply:
            assert reply.status == 401


async def test_the_page_is_there_without_the_key(console: Any) -> None:
    async with console(api_keys=["a key for clients"]) as opened:
        async with opened.http.get(f"{opened.address}/console") as reply:
            assert reply.status == 200
            assert reply.content_type == "text/html"
        async with opened.http.get(f"{opened.address}/console/page/__init__.py") as reply:
            assert reply.status == 404


async def test_who_shows_wrong_keys_is_told_to_wait(console: Any) -> None:
    async with console() as opened:
        right = opened.headers
        for number in range(WRONG_KEYS.amount):
            opened.headers = {"authorization": f"Bearer guess {number}"}
            body = await opened.get("overview", 401)
            assert "guess" not in str(body)
        opened.headers = {"authorization": "Bearer one more"}
        body = await opened.get("overview", 429)
        assert "Try again in" in body["error"]["message"]
        opened.headers = right
        await opened.get("overview", 200)  # whoever guesses locks nobody out


def refused(gate: Gate, key: str, address: str = "192.0.2.1") -> int:
    request = make_mocked_request("GET", "/", headers={"authorization": f"Bearer {key}"})
    response = gate.refuses(request.clone(remote=address))
    return 200 if response is None else response.status


def test_the_limit_is_of_one_address_and_ends() -> None:
    now = [1000.0]
    gate = Gate(KEY, clock=lambda: now[0])
    for _ in range(WRONG_KEYS.amount):
        assert refused(gate, "wrong") == 401
    assert refused(gate, "wrong") == 429
    assert refused(gate, KEY) == 200
    assert refused(gate, "wrong", "192.0.2.2") == 401
    now[0] += WRONG_KEYS.seconds + 1
    assert refused(gate, "wrong") == 401


def test_right_keys_and_missing_ones_are_not_counted() -> None:
    gate = Gate(KEY)
    for _ in range(5 * WRONG_KEYS.amount):
        assert refused(gate, KEY) == 200
        assert refused(gate, " ") == 401
    assert refused(gate, KEY) == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_guesser_has_one_network(address: str, network: str) -> None:
    assert _network(address) == network


@pytest.mark.parametrize("key", ["Schlüssel für die Konsole", KEY])
def test_any_key_that_is_long_enough_will_do(key: str) -> None:
    assert refused(Gate(key), key) == 200
    assert refused(Gate(key), key + "x") == 401


def test_a_short_key_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="BOTKIT_CONSOLE_KEY") as caught:
        Settings.load(console_key="too short")
    assert "too short" not in str(caught.value)
