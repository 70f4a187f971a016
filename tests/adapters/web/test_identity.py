"""Visitors whom their site knows."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from web_visitor import Visitor, bot_on_the_web

from botkit.bot import Bot
from botkit.turn import Turn
from botkit_adapters.web.identity import Identity, identify
from botkit_adapters.web.options import DAY
from botkit_adapters.web.refusals import RefusalError

SECRET = "a-secret-of-the-site-and-the-bot"
assert len(SECRET) == 32


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    chosen = {"sub": "ada", "exp": int(time.time()) + 3600, **claims}
    given = {name: value for name, value in chosen.items() if value is not None}
    return jwt.encode(given, secret, algorithm)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_who_it_is() -> None:
    assert identify(signed(name="Ada"), SECRET.encode()) == Identity("ada", "Ada")
    assert identify(signed(), SECRET.encode()) == Identity("ada")
    assert identify(signed(exp=int(time.time() + DAY)), SECRET.encode()) == Identity("ada")
    assert identify(signed(name="A\x00d\na"), SECRET.encode()).name == "Ada"
    assert len(identify(signed(name="x" * 5000), SECRET.encode()).name) == 200


NOW = int(time.time())
ATTACKS = {
    "empty": "",
    "no token": "not.a.token",
    "another key": signed("b" * 32),
    "another algorithm": signed(SECRET * 2, "HS384"),
    "HS512": signed(SECRET * 2, "HS512"),
    "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({'sub': 'ada', 'exp': NOW + 60})}.",
    "None": f"{part({'alg': 'None'})}.{part({'sub': 'ada', 'exp': NOW + 60})}.",
    "no algorithm": f"{part({})}.{part({'sub': 'ada', 'exp': NOW + 60})}.",
    "expired": signed(exp=NOW - 60),
    "too long": signed(exp=NOW + int(DAY) + 3600),
    "for ever": signed(exp=10**18),
    "infinitely": signed(exp=float("inf")),
    "no end": signed(exp=None),
    "an end in words": signed(exp="tomorrow"),
    "nobody": signed(sub=None),
    "empty subject": signed(sub=""),
    "blank subject": signed(sub="  "),
    "a number": None,
    "long subject": signed(sub="a" * 256),
    "hidden subject": signed(sub="ada\x00"),
    "not yet": signed(nbf=NOW + 3000),
    "from the future": signed(iat=NOW + 3000),
    "for somebody else": signed(aud="another-service"),
    "a name that is none": signed(name={"a": 1}),
    "huge": signed(more="x" * 9000),
    "without signature": signed().rpartition(".")[0] + ".",
    "swapped": ".".join([*signed().split(".")[:1], part({"sub": "eve"}), signed().split(".")[2]]),
}
ATTACKS["a number"] = (
    f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': 5, 'exp': NOW + 60})}.x"
)


@pytest.mark.parametrize("name", ATTACKS)
def test_everything_else_is_refused(name: str) -> None:
    with pytest.raises(RefusalError) as caught:
        identify(ATTACKS[name] or "", SECRET.encode())
    assert (caught.value.status, caught.value.code) == (403, "invalid_identity")


def test_a_key_in_the_header_is_not_taken() -> None:
    header = {"jwk": {"kty": "oct", "k": part("x")}, "kid": "../../dev/null", "jku": "http://x/"}
    forged = jwt.encode({"sub": "ada", "exp": NOW + 60}, "x" * 32, "HS256", headers=header)
    with pytest.raises(RefusalError):
        identify(forged, SECRET.encode())


def test_without_a_secret_nobody_is_believed() -> None:
    with pytest.raises(RefusalError):
        identify(signed(), b"")


async def test_the_same_conversation_on_every_device(tmp_path: Path) -> None:
    bot = Bot()
    seen: list[tuple[str, str, str, str]] = []

    @bot.message("who")
    async def who(turn: Turn) -> str:
        seen.append((turn.user.id, turn.user.name, turn.user.locale, turn.user.timezone))
        return "you"

    async with bot_on_the_web(tmp_path, bot, web_identity_secret=SECRET) as site:
        body = {"locale": "pt_BR", "timezone": "Europe/Lisbon"}
        phone = await site.visitor(identity=signed(name="Ada"), **body)
        laptop = await site.visitor(identity=signed(name="Ada L."), locale="en")
        assert phone.session == laptop.session
        assert phone.about["identified"] is True
        assert phone.about["expires_at"] <= time.time() + DAY
        async with phone.page() as here, laptop.page() as there:
            await here.answered(await phone.say("who"))
            await there.answered(await laptop.say("who", locale="de"))
            assert here.entries == there.entries
        assert seen == [
            ("u_ada", "Ada", "pt-BR", "Europe/Lisbon"),
            ("u_ada", "Ada L.", "de", ""),
        ]
        # Signed out: what was the person's stays with the person.
        session = laptop.session
        await laptop.begin()
        assert laptop.session != session
        assert laptop.about["identified"] is False
        # Signed in: what was nobody's stays behind.
        anonymous = laptop.session
        await laptop.begin(identity=signed())
        assert laptop.session == session != anonymous
        for attack in ("", ATTACKS["none"], ATTACKS["another key"]):
            status, answer = await Visitor(site.http, site.address).ask(
                "POST", "/web/sessions", json={"identity": attack or "x"}
            )
            assert (status, answer["error"]["code"]) == (403, "invalid_identity")
