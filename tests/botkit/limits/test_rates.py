from __future__ import annotations

import subprocess
import sys

import pytest

from botkit.errors import SettingsError
from botkit.limits.rates import PER_USER, Rate, parse_rates
from botkit.limits.waiting import in_words
from botkit.settings import Settings


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("", ()),
        (" OFF ", ()),
        ("20/minute", (Rate(20, 60),)),
        ("20/minute;200/hour", (Rate(20, 60), Rate(200, 3600))),
        ("5 per 10 seconds, 1/2 days", (Rate(5, 10), Rate(1, 172_800))),
        (PER_USER, (Rate(60, 60),)),
    ],
)
def test_rates_are_read_as_the_limits_library_writes_them(
    text: str, rates: tuple[Rate, ...]
) -> None:
    assert parse_rates(text) == rates


@pytest.mark.parametrize("text", ["20", "20/fortnight", "0/minute", "-1/hour", "20/minute;", "x"])
@pytest.mark.parametrize("name", ["USER", "CONVERSATION", "WORKSPACE"])
def test_what_is_no_rate_is_refused_at_the_start_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"BOTKIT_LIMIT_{name}", text)
    with pytest.raises(SettingsError, match=rf"^BOTKIT_LIMIT_{name} .*20/minute;200/hour, or off"):
        Settings.load()


def test_the_default_does_not_import_the_library() -> None:
    code = (
        "import sys; from botkit.settings import Settings; from botkit.limits.rates import *;"
        "parse_rates(Settings.load(limit_user=PER_USER).limit_user); print('limits' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.001, "1 second"),
        (1.5, "2 seconds"),
        (60, "60 seconds"),
        (61, "2 minutes"),
        (3601, "2 hours"),
        (80_000, "23 hours"),
        (86_401, "2 days"),
    ],
)
def test_who_waits_as_told_has_waited_long_enough(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
