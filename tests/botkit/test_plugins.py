from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from botkit import plugins
from botkit.completion import Completion
from botkit.errors import MissingExtraError, SettingsError
from botkit.plugins import Check
from botkit.settings import Settings

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution of one module and its entry points, as pip would lay it out."""

    def lay_out(entry_points: str, module: str) -> None:
        info = tmp_path / "acme_bot-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bot\nVersion: 1\n")
        (info / "entry_points.txt").write_text(entry_points)
        (tmp_path / "acme_bot.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "acme_bot", raising=False)

    return lay_out


def test_the_core_names_its_completions() -> None:
    assert {"echo", "local", "openai"} <= set(plugins.names(plugins.COMPLETIONS))


def test_a_completion_of_another_package_is_made_from_the_settings(install: Install) -> None:
    install(
        "[botkit.completions]\nacme = acme_bot:make\n",
        "from botkit.completion.scripted import ScriptedCompletion\n"
        "def make(settings):\n    return ScriptedCompletion(model=settings.model)\n",
    )
    completion = plugins.load_completion(Settings.load(completion="acme", model="acme-1"))
    assert isinstance(completion, Completion)
    assert getattr(completion, "model", None) == "acme-1"


def test_an_unknown_completion_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'nope'; installed: .*echo.*local"):
        plugins.load_completion(Settings.load(completion="nope"))


@pytest.mark.parametrize(
    "module",
    [
        "import slack_bolt\nmake = None\n",
        "def make(settings):\n    import slack_bolt\n",
    ],
    ids=["while importing", "while making"],
)
def test_a_missing_package_names_the_extra_that_brings_it(
    install: Install, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, "slack_bolt", None)
    install("[botkit.completions]\nacme = acme_bot:make\n", module)
    with pytest.raises(MissingExtraError, match=r"pip install 'botkit\[slack\]'"):
        plugins.load_completion(Settings.load(completion="acme"))


def test_a_package_of_no_extra_is_named(install: Install) -> None:
    install("[botkit.completions]\nacme = acme_bot:make\n", "import no_such_package_at_all\n")
    with pytest.raises(SettingsError, match=r"'acme' could not be loaded.*no_such_package_at_all"):
        plugins.load_completion(Settings.load(completion="acme"))


def test_an_entry_point_to_nothing_is_refused(install: Install) -> None:
    install("[botkit.completions]\nacme = acme_bot:make\n", "")
    with pytest.raises(SettingsError, match=r"'acme' could not be loaded.*make"):
        plugins.load_completion(Settings.load(completion="acme"))


def test_checks_of_all_packages_are_asked_and_a_broken_one_is_a_finding(install: Install) -> None:
    install(
        "[botkit.checks]\nacme = acme_bot:checks\nbroken = acme_bot:nothing\n",
        "from botkit.plugins import Check\n"
        "def checks(settings):\n    return [Check('Acme', 'ok', settings.model)]\n",
    )
    found = plugins.run_checks(Settings.load(model="acme-1"))
    assert Check("Acme", "ok", "acme-1") in found
    assert [check.status for check in found if check.name == "broken"] == ["warn"]


@pytest.mark.parametrize(
    ("module", "extra"),
    [("jax", "jax"), ("openai", "openai"), ("huggingface_hub", "hub"), ("click", None), ("", None)],
)
def test_extra_of(module: str, extra: str | None) -> None:
    assert plugins.extra_of(module) == extra
