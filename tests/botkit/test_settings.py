from __future__ import annotations

import re
from pathlib import Path

import pytest

from botkit.errors import SettingsError
from botkit.settings import Settings
from botkit.variables import markdown_table

ROOT = Path(__file__).parents[2]
SECRET = "sk-do-not-show-me"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in Settings.describe():
        for name in variable.names:
            monkeypatch.delenv(name, raising=False)


def test_without_variables_the_defaults_hold() -> None:
    settings = Settings.load()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert (settings.completion, settings.model) == ("local", "smollm2-135m")
    assert (settings.slots, settings.context, settings.queue) == (4, 2048, 64)
    assert settings.home.name == "botkit"
    assert settings.compile_cache == settings.home / "compiled"


def test_only_the_listed_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # pydantic-settings would fill `home` from HOME if the alias did not replace the field's name.
    for name in ("HOME", "HOST", "MODEL", "QUEUE", "SLOTS", "API_KEYS"):
        monkeypatch.setenv(name, "/elsewhere")
    settings = Settings.load()
    assert settings.home != Path("/elsewhere")
    assert (settings.host, settings.model, settings.api_keys) == ("127.0.0.1", "smollm2-135m", ())


def test_variables_are_read_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTKIT_HOME", "~/bots")
    monkeypatch.setenv("BOTKIT_PORT", "1234")
    monkeypatch.setenv("BOTKIT_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("BOTKIT_MODEL_ALIASES", "text-davinci-002 = a , *=b,")
    monkeypatch.setenv("BOTKIT_API_KEYS", "one, two,")
    settings = Settings.load(port=4321, host=None)
    assert settings.home == Path.home() / "bots"
    assert settings.port == 4321
    assert settings.host == "127.0.0.1"
    assert settings.log_level == "warning"
    assert settings.model_aliases == {"text-davinci-002": "a", "*": "b"}
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTKIT_SLOTS", "")
    monkeypatch.setenv("BOTKIT_PORT", "")
    monkeypatch.setenv("PORT", "9000")
    settings = Settings.load()
    assert (settings.slots, settings.port) == (4, 9000)


def test_a_platforms_port_opens_every_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    assert (Settings.load().host, Settings.load().port) == ("0.0.0.0", 9000)
    monkeypatch.setenv("BOTKIT_PORT", "9001")
    monkeypatch.setenv("BOTKIT_HOST", "127.0.0.2")
    assert (Settings.load().host, Settings.load().port) == ("127.0.0.2", 9001)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("BOTKIT_PORT", "70000", "less than or equal to 65535"),
        ("PORT", "http", "valid integer"),
        ("BOTKIT_SLOTS", "0", "greater than or equal to 1"),
        ("BOTKIT_CONTEXT", "2k", "valid integer"),
        ("BOTKIT_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("BOTKIT_MODEL_ALIASES", "davinci", "not of the form alias=model"),
        ("BOTKIT_MODEL_ALIASES", "=x", "not of the form alias=model"),
        ("BOTKIT_LORA", "/models/support", "not of the form name=folder"),
        ("BOTKIT_READ_TIMEOUT", "nan", "finite number"),
        ("BOTKIT_SHUTDOWN_TIMEOUT", "-1", "greater than or equal to 0"),
        ("OPENAI_BASE_URL", "ftp://models", "match pattern"),
    ],
)
def test_a_wrong_value_is_named_with_its_problem_and_a_way_out(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    message = str(caught.value)
    assert message.startswith(f"{name} ('{value}'): ")
    assert problem in message
    assert "BOTKIT_COMPILE_CACHE" not in message
    variable = next(entry for entry in Settings.describe() if name in entry.names)
    assert variable.description in message


def test_every_wrong_value_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTKIT_SLOTS", "many")
    monkeypatch.setenv("BOTKIT_QUEUE", "long")
    with pytest.raises(SettingsError, match=r"BOTKIT_SLOTS.*BOTKIT_QUEUE"):
        Settings.load()


def test_secrets_are_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTKIT_API_KEYS", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://me:{SECRET}@models/v1")
    settings = Settings.load()
    shown = [variable.shown for variable in Settings.describe()]
    assert "http://********@models/v1" in shown
    for text in (repr(settings.api_keys), repr(settings.openai_api_key), repr(shown)):
        assert SECRET not in text
    monkeypatch.setenv("OPENAI_BASE_URL", f"ftp://me:{SECRET}@models/v1")
    with pytest.raises(SettingsError) as caught:
        Settings.load(api_keys=3.5)
    assert SECRET not in str(caught.value)


def test_adapters_are_names_of_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTKIT_LORA", "support=/models/support, sales=~/sales")
    folders = {"support": Path("/models/support"), "sales": Path("~/sales").expanduser()}
    assert Settings.load().lora == folders
    assert Settings.load(lora=folders).lora == folders
    with pytest.raises(SettingsError, match="BOTKIT_LORA"):
        Settings.load(lora=5)


def test_settings_are_frozen() -> None:
    settings = Settings.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(SettingsError, match="prot"):
        Settings.load(prot=1)


def test_every_variable_is_described() -> None:
    described = Settings.describe()
    assert {variable.field for variable in described} == set(Settings.model_fields)
    for variable in described:
        assert re.fullmatch(r"(BOTKIT|OPENAI|OTEL|SLACK|TELEGRAM)_[A-Z_]+", variable.name)
        assert variable.description.endswith(".")
    secret = {variable.name for variable in described if variable.secret}
    assert secret == {
        "BOTKIT_API_KEYS",
        "BOTKIT_CONSOLE_KEY",
        "BOTKIT_SECRET_KEY",
        "BOTKIT_WEB_IDENTITY_SECRET",
        "OPENAI_API_KEY",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_CLIENT_SECRET",
        "SLACK_SIGNING_SECRET",
        "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_WEBHOOK_SECRET",
    }


def test_the_readme_lists_the_variables() -> None:
    readme = (ROOT / "README.md").read_text()
    table = re.search(r"<!-- variables -->\n(.*?)\n<!-- /variables -->", readme, re.DOTALL)
    assert table is not None
    assert table[1] == markdown_table(Settings.describe()), (
        "run `botkit doctor --variables --markdown` and put its output between the markers"
    )
