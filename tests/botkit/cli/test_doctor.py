"""`botkit doctor`."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

SECRET = "sk-do-not-show-me"


def examine(botkit_command, **variables: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit code, the whole report, and its core findings by name."""
    done = botkit_command.run("doctor", "--json", **variables)
    assert done.stderr == b""
    report = json.loads(done.stdout)
    return done.returncode, report, {check["name"]: check for check in report["checks"]}


def test_a_sound_installation_passes(botkit_command, free_port: int) -> None:
    status, report, checks = examine(botkit_command, BOTKIT_PORT=str(free_port))
    assert (status, report["ok"]) == (0, True)
    for name in ("Python", "Completion", "Port", "Access", "Disk"):
        assert checks[name]["status"] == "ok", checks[name]
    assert checks["Completion"]["found"] == "echo"


def test_every_finding_that_is_not_ok_says_what_to_do(botkit_command) -> None:
    _, report, _ = examine(
        botkit_command, BOTKIT_HOST="0.0.0.0", BOTKIT_COMPLETION="nope", BOTKIT_PROT="1"
    )
    bad = [check for check in report["checks"] if check["status"] != "ok"]
    assert {"Completion", "Access", "Variable"} <= {check["name"] for check in bad}
    assert all(check["advice"] for check in bad)


def test_a_failure_ends_with_1(botkit_command) -> None:
    status, report, checks = examine(botkit_command, BOTKIT_COMPLETION="nope")
    assert (status, report["ok"]) == (1, False)
    assert "echo" in checks["Completion"]["advice"]


def test_a_wrong_variable_is_a_finding(botkit_command) -> None:
    status, _, checks = examine(botkit_command, BOTKIT_SLOTS="many")
    assert status == 1
    assert checks["Variables"]["found"].startswith("BOTKIT_SLOTS ('many')")


def test_a_port_in_use_is_seen(botkit_command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        _, _, checks = examine(botkit_command, BOTKIT_PORT=port)
    assert checks["Port"]["status"] == "warn"
    assert "in use" in checks["Port"]["found"]


def test_an_address_of_another_machine_fails(botkit_command) -> None:
    status, _, checks = examine(botkit_command, BOTKIT_HOST="192.0.2.1")
    assert (status, checks["Port"]["status"]) == (1, "fail")


def test_a_home_that_is_a_file_fails(botkit_command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, checks = examine(botkit_command, BOTKIT_HOME=str(tmp_path / "file"))
    assert (status, checks["Disk"]["status"]) == (1, "fail")


def test_a_misspelt_variable_is_seen(botkit_command) -> None:
    status, _, checks = examine(botkit_command, BOTKIT_PROT="1")
    assert status == 0
    assert checks["Variable"]["found"] == "nothing reads BOTKIT_PROT"
    assert checks["Variable"]["advice"] == "did you mean BOTKIT_PORT?"


def test_variables_of_the_tests_are_no_typing_errors(botkit_command) -> None:
    _, _, checks = examine(botkit_command, BOTKIT_TEST_GGUF="x", BOTKIT_SHARED="y")
    assert "Variable" not in checks


def test_an_endpoint_without_a_key_is_seen(botkit_command) -> None:
    _, _, checks = examine(botkit_command, BOTKIT_COMPLETION="openai")
    assert checks["Completion"]["status"] == "warn"
    assert "OPENAI_API_KEY" in checks["Completion"]["advice"]


def test_no_output_holds_a_secret(botkit_command) -> None:
    variables = {"BOTKIT_API_KEYS": SECRET, "OPENAI_API_KEY": SECRET, "BOTKIT_SLOTS": "2"}
    for options in ([], ["--json"], ["--variables"], ["--variables", "--json"]):
        done = botkit_command.run("doctor", *options, **variables)
        assert b"BOTKIT_API_KEYS" in done.stdout
        assert SECRET.encode() not in done.stdout + done.stderr
    assert b"BOTKIT_SLOTS=2" in botkit_command.run("doctor", **variables).stdout


def test_people_read_the_same_findings(botkit_command) -> None:
    done = botkit_command.run("doctor", BOTKIT_COMPLETION="nope")
    text = done.stdout.decode()
    assert done.returncode == 1
    assert "\nfail  Completion" in text
    assert "-> set BOTKIT_COMPLETION to one of: " in text


def test_every_variable_is_listed(botkit_command) -> None:
    from botkit.settings import Settings

    done = botkit_command.run("doctor", "--variables")
    for variable in Settings.describe():
        assert f"\n{variable.name}" in "\n" + done.stdout.decode()
    assert botkit_command.run("doctor", "--markdown").returncode == 2


BOT = {"SLACK_BOT_TOKEN": "xoxb-" + SECRET}


def test_without_their_variables_platforms_are_not_set_up(botkit_command) -> None:
    _, _, checks = examine(botkit_command)
    for name in ("Slack", "Telegram"):
        assert (checks[name]["status"], checks[name]["found"]) == ("ok", "not set up")


@pytest.mark.parametrize(
    ("variables", "name", "found"),
    [
        (BOT | {"SLACK_APP_TOKEN": "xapp-" + SECRET}, "Slack", "SLACK_BOT_TOKEN, SLACK_APP_TOKEN"),
        (BOT | {"SLACK_SIGNING_SECRET": SECRET}, "Slack", "SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET"),
        ({"TELEGRAM_BOT_TOKEN": f"1:{SECRET}"}, "Telegram", "TELEGRAM_BOT_TOKEN"),
    ],
)
def test_a_platform_that_is_set_up(
    botkit_command, variables: dict[str, str], name: str, found: str
) -> None:
    _, report, checks = examine(botkit_command, **variables)
    assert (checks[name]["status"], checks[name]["found"]) == ("ok", f"set up with {found}")
    assert SECRET not in json.dumps(report)


@pytest.mark.parametrize(
    ("variables", "name", "status", "advice"),
    [
        (BOT, "Slack", "fail", "set SLACK_SIGNING_SECRET for events over HTTP, or SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": SECRET}, "Slack", "fail", "SLACK_BOT_TOKEN is missing"),
        ({"TELEGRAM_WEBHOOK_SECRET": SECRET}, "Telegram", "warn", "set TELEGRAM_BOT_TOKEN too"),
        ({"TELEGRAM_BOT_TOKEN": SECRET}, "Telegram", "fail", "a token looks like 123456:ABC-DEF"),
        (
            {"TELEGRAM_BOT_TOKEN": f"1:{SECRET}", "BOTKIT_PUBLIC_URL": "https://bot.example.com"},
            "Telegram",
            "fail",
            "set TELEGRAM_WEBHOOK_SECRET too",
        ),
    ],
)
def test_a_platform_that_is_half_set_up(
    botkit_command, variables: dict[str, str], name: str, status: str, advice: str
) -> None:
    ended, report, checks = examine(botkit_command, **variables)
    assert checks[name]["status"] == status
    assert advice in checks[name]["advice"]
    assert ended == (1 if status == "fail" else 0)
    assert SECRET not in json.dumps(report)
