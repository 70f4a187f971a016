"""When the widget is there, and what `botkit doctor` says of it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from botkit.errors import MissingExtraError, SettingsError
from botkit.settings import Settings
from botkit.testing.served import WORLD
from botkit_adapters.web import wanted, web_adapter
from botkit_adapters.web.checks import checks

SITE = "https://shop.example"


def loaded(**given: Any) -> Settings:
    return Settings.load(ignore=(*WORLD, "host"), **{"host": "127.0.0.1", **given})


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "::1"}, True),
        ({"host": "127.0.0.2"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "::"}, False),
        ({"host": "bot.example"}, False),
        # Somebody serves others, who may come through a proxy on this machine.
        ({"public_url": "https://bot.example"}, False),
        ({"api_keys": "a-key"}, False),
        ({"trigger": "http", "secret_key": "k", "turns_url": "https://bot.example"}, False),
        ({"web_origins": "none"}, False),
        ({"web_origins": "NONE"}, False),
        ({"web_origins": SITE, "host": "0.0.0.0", "api_keys": "a-key"}, True),
        ({"web_origins": f"{SITE}, https://*.Shop.Example ,", "host": "0.0.0.0"}, True),
    ],
)
def test_when_it_is_there(given: dict[str, Any], there: bool) -> None:
    settings = loaded(**given)
    assert wanted(settings) is there
    assert (web_adapter(settings) is not None) is there


@pytest.mark.parametrize("origins", ["*", "shop.example", f"{SITE},none", "https://shop.example/x"])
def test_a_wrong_list_is_an_error_that_says_how_to_write_it(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"BOTKIT_WEB_ORIGINS: .*https://\*\.shop\.example"):
        web_adapter(loaded(web_origins=origins))


@pytest.mark.parametrize(
    "given",
    [
        {"web_identity_secret": "short"},
        {"web_session_days": 0},
        {"web_rate": "often"},
        {"web_proxies": -1},
        {"web_file_bytes": -1},
    ],
)
def test_wrong_variables_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="BOTKIT_WEB_") as caught:
        loaded(**given)
    assert "short" not in str(caught.value)


def test_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "jwt" else find(name)
    )
    assert web_adapter(loaded()) is None
    with pytest.raises(MissingExtraError, match=r"botkit\[web\]"):
        web_adapter(loaded(web_origins=SITE))
    assert checks(loaded(web_origins=SITE))[0].status == "fail"
    assert "botkit[web]" in checks(loaded())[0].found


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({}, "ok", "pages of this machine"),
        ({"host": "0.0.0.0"}, "ok", "not set up"),
        ({"web_origins": "none"}, "ok", "switched off"),
        ({"web_origins": "*"}, "fail", "cannot be used"),
        ({"web_origins": SITE}, "warn", "set BOTKIT_SECRET_KEY"),
        ({"web_origins": SITE, "secret_key": "k"}, "ok", f"for {SITE}"),
        ({"web_origins": "http://shop.example", "secret_key": "k"}, "warn", "https"),
        ({"web_origins": "http://localhost:3000", "secret_key": "k"}, "ok", "for http://localhost"),
        (
            {"web_origins": SITE, "secret_key": "k", "public_url": "https://bot.example"},
            "ok",
            "BOTKIT_WEB_PROXIES",
        ),
        (
            {
                "web_origins": SITE,
                "secret_key": "k",
                "trigger": "http",
                "turns_url": "https://bot.example",
            },
            "warn",
            "when they are whole",
        ),
    ],
)
def test_what_the_doctor_says(given: dict[str, Any], status: str, said: str) -> None:
    (check,) = checks(loaded(**given))
    assert check.name == "Web"
    assert check.status == status
    assert said in f"{check.found} {check.advice}"


def test_nothing_heavy_comes_with_the_adapter(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom botkit.settings import Settings\n"
        "from botkit_adapters.web import web_adapter\n"
        "assert web_adapter(Settings.load(host='127.0.0.1', web_origins='https://a.example'))\n"
        "heavy = {'jwt', 'filetype', 'cryptography', 'limits', 'jax', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
