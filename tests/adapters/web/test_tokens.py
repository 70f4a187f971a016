"""Tokens and addresses: nobody makes, changes, swaps or keeps them."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_visitor import Visitor, bot_on_the_web

from botkit_adapters.web.options import DAY
from botkit_adapters.web.refusals import RefusalError
from botkit_adapters.web.session import Session
from botkit_adapters.web.tokens import FILE_SECONDS, HOUR, Tokens

KEY = b"k" * 40


def tokens(key: bytes = KEY, seconds: float = 30 * DAY) -> Tokens:
    return Tokens(key, seconds)


def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(RefusalError) as caught:
        tokens.read_session(token)
    assert caught.value.status == 401
    return caught.value.code


SESSION = Session("s_1", "v_1", locale="pt-BR", timezone="Europe/Lisbon")


def test_a_token_leads_back() -> None:
    token = tokens().session(SESSION)
    assert tokens().read_session(token) == SESSION
    assert token.isascii()


@given(st.binary(min_size=1), st.text(max_size=300), st.text(max_size=40))
def test_whoever_it_is(key: bytes, name: str, subject: str) -> None:
    mine = tokens(key)
    session = mine.known(subject, name)
    assert mine.read_session(mine.session(session)) == session
    assert mine.read_address(mine.address(session.sender, "f_1"), "f_1") == session.sender


def test_another_servers_are_none() -> None:
    assert refused(tokens(b"other"), tokens().session(SESSION)) == "invalid_token"


def test_no_byte_of_it_may_be_another() -> None:
    token = tokens().session(SESSION)
    for index, letter in enumerate(token):
        changed = token[:index] + ("A" if letter != "A" else "B") + token[index + 1 :]
        try:
            read = tokens().read_session(changed)
        except RefusalError as error:
            assert error.code in ("invalid_token", "session_expired")  # noqa: PT017
        else:
            assert read == SESSION  # unused bits at the end of base64


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\x00", "é" * 40, "x" * 100_000])
def test_anything_else_is_none(token: str) -> None:
    assert refused(tokens(), token) == "invalid_token"


def test_the_address_of_a_file_is_no_token_and_none_of_another_file() -> None:
    mine = tokens()
    key = mine.address("v_1", "f_1")
    assert refused(mine, key) == "invalid_token"
    assert mine.read_address(key, "f_1") == "v_1"
    for wrong, file in ((key, "f_2"), (mine.session(SESSION), "f_1"), ("", "f_1"), ("é", "f_1")):
        with pytest.raises(RefusalError) as caught:
            mine.read_address(wrong, file)
        assert caught.value.status == 404


def test_the_address_of_a_file_tells_nobody_whose_it_is() -> None:
    key = tokens().address("u_ada@private.example", "f_1")
    decoded = base64.urlsafe_b64decode(key.split(".")[0] + "==")
    assert b"ada" not in decoded
    assert b"ada".hex().encode() not in decoded


def test_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tokens()
    token, known = mine.session(SESSION), mine.session(mine.known("ada", "Ada"))
    key = mine.address("v_1", "f_1")
    later = time.time() + DAY + 60
    monkeypatch.setattr("time.time", lambda: later)
    assert mine.read_session(token) == SESSION
    assert refused(mine, known) == "session_expired"
    later += FILE_SECONDS + 2 * HOUR - DAY
    with pytest.raises(RefusalError):
        mine.read_address(key, "f_1")
    later += 31 * DAY
    assert refused(mine, token) == "session_expired"


def test_an_address_is_the_same_for_a_while() -> None:
    mine = tokens()
    assert len({mine.address("v_1", "f_1") for _ in range(10)}) <= 2


def test_a_person_has_one_session_that_nobody_can_work_out() -> None:
    mine = tokens()
    assert mine.known("ada", "Ada").id == mine.known("ada", "Countess").id
    assert mine.known("ada", "").id != mine.known("ada2", "").id
    assert mine.known("ada", "").id != tokens(b"other").known("ada", "").id
    # Keys of records begin with a person's id and a colon: no id may hold one.
    assert ":" not in mine.known("a:b", "").sender
    assert mine.known("a:b", "").sender != mine.known("a%3Ab", "").sender


async def test_over_http(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path) as site:
        ada, bob = await site.visitor(), await site.visitor()
        status, body = await ada.ask("GET", f"/web/stream?session={bob.session}")
        assert (status, body["error"]["code"]) == (403, "other_session")
        status, body = await ada.ask("GET", "/web/stream")
        assert (status, body["error"]["code"]) == (400, "invalid_request")
        nobody = Visitor(site.http, site.address)
        for authorization in ("", "Bearer", "Bearer ", "Basic abc", f"Basic {ada.token}"):
            headers = {"Authorization": authorization} if authorization else {}
            path = f"/web/stream?session={ada.session}"
            status, body = await nobody.ask("GET", path, headers=headers)
            assert (status, body["error"]["code"]) == (401, "invalid_token")
            assert nobody.answer.headers["WWW-Authenticate"] == "Bearer"
        path = "/web/messages?x=" + ada.token  # a token is no part of an address
        assert (await nobody.ask("GET", path))[0] == 401


async def test_going_on_and_beginning_anew(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path) as site:
        visitor = await site.visitor()
        first = visitor.session
        await visitor.begin(locale="de")
        assert visitor.session == first
        token = visitor.token
        visitor.token = "x" + token
        status, body = await visitor.ask("POST", "/web/sessions", json={})
        assert (status, body["error"]["code"]) == (401, "invalid_token")
        visitor.token = ""
        await visitor.begin()
        assert visitor.session != first


async def test_a_server_without_a_key_of_its_own_keeps_one(tmp_path: Path) -> None:
    async with bot_on_the_web(tmp_path) as site:
        visitor = await site.visitor()
    async with bot_on_the_web(tmp_path) as site:
        visitor.http, visitor.address, visitor.origin = site.http, site.address, site.address
        session = visitor.session
        await visitor.begin()
        assert visitor.session == session
    async with bot_on_the_web(tmp_path, secret_key="another one") as site:
        visitor.http, visitor.address, visitor.origin = site.http, site.address, site.address
        status, body = await visitor.ask("POST", "/web/sessions", json={})
        assert (status, body["error"]["code"]) == (401, "invalid_token")
