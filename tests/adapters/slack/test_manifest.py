"""``botkit slack manifest``: valid for Slack, and true to what the adapter serves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from botkit_adapters.slack.commands import slack

SHARED = Path(os.environ.get("BOTKIT_SHARED", Path(__file__).parents[4] / "shared"))
SCHEMA = SHARED / "contracts/manifest.schema.2.0.0.json"
URL = "--url=https://bot.example.com/"


def printed(*options: str) -> dict[str, Any]:
    done = CliRunner().invoke(slack, ["manifest", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


@pytest.mark.skipif(not SCHEMA.is_file(), reason="Slack's schema is not here")
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--name=x",),
        ("--command=order", "--command=/help"),
        (URL,),
        (URL, "--command=order"),
        (URL, "--distribute"),
        (URL, "--distribute", "--rotate-tokens"),
    ],
)
def test_slack_takes_it(options: tuple[str, ...]) -> None:
    schema = json.loads(SCHEMA.read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(printed(*options))] == []


def test_one_workspace_needs_no_redirect() -> None:
    made = printed(URL)
    assert "redirect_urls" not in made["oauth_config"]
    assert made["settings"]["token_rotation_enabled"] is False


def test_many_workspaces() -> None:
    made = printed(URL, "--distribute", "--rotate-tokens")
    redirect = "https://bot.example.com/slack/oauth_redirect"
    assert made["oauth_config"]["redirect_urls"] == [redirect]
    assert made["settings"]["token_rotation_enabled"] is True


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--distribute"], "--distribute needs --url"),
        ([URL, "--rotate-tokens"], "--rotate-tokens needs --distribute"),
    ],
)
def test_what_makes_no_sense_together(options: list[str], reason: str) -> None:
    done = CliRunner().invoke(slack, ["manifest", *options])
    assert done.exit_code == 2
    assert reason in done.output
