"""``botkit doctor``: what is in order, what is not, and what to do about it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from importlib import metadata

import click

from botkit import plugins
from botkit.errors import SettingsError
from botkit.plugins import Check
from botkit.settings import Settings
from botkit.variables import Variable, markdown_table

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(short_help="Check this installation and say what to do.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--variables", is_flag=True, help="List every variable instead.")
@click.option("--markdown", is_flag=True, help="With --variables: as a Markdown table.")
def doctor(as_json: bool, variables: bool, markdown: bool) -> None:
    """Check Python, JAX, the model, its compiled programs, the port, the disk, the variables, the
    platforms and the database.

    Ends with exit code 1 when something must be mended.
    """
    if markdown and not variables:
        raise click.UsageError("--markdown goes with --variables")
    described = Settings.describe()
    if variables:
        click.echo(_variables(described, as_json=as_json, markdown=markdown))
        return
    checks = _checks()
    click.echo(_findings_json(checks, described) if as_json else _findings(checks, described))
    if any(check.status == "fail" for check in checks):
        raise click.exceptions.Exit(1)


def _checks() -> list[Check]:
    from botkit.cli.bot_checks import bot_checks
    from botkit.cli.checks import core_checks, unknown_variables

    try:
        settings = Settings.load()
    except SettingsError as error:
        return [Check("Variables", "fail", str(error), "correct them"), *unknown_variables()]
    return [*core_checks(settings), *bot_checks(settings), *plugins.run_checks(settings)]


def _findings(checks: Sequence[Check], described: Sequence[Variable]) -> str:
    width = max(len(check.name) for check in checks)
    lines = [f"botkit {metadata.version('botkit')}", ""]
    for check in checks:
        status = click.style(f"{check.status:4}", fg=COLOURS[check.status])
        lines.append(f"{status}  {check.name:{width}}  {check.found}")
        if check.advice:
            lines.append(f"{'':6}{'':{width}}  -> {check.advice}")
    chosen = [variable for variable in described if variable.value_set]
    lines += ["", "Variables set:" if chosen else "No variable is set."]
    lines += [f"  {variable.in_use}={variable.shown}" for variable in chosen]
    return "\n".join(lines)


def _findings_json(checks: Sequence[Check], described: Sequence[Variable]) -> str:
    findings = {
        "version": metadata.version("botkit"),
        "ok": all(check.status != "fail" for check in checks),
        "checks": [dataclasses.asdict(check) for check in checks],
        "variables": {
            variable.in_use: variable.shown for variable in described if variable.value_set
        },
    }
    return json.dumps(findings, indent=2)


def _variables(described: Sequence[Variable], *, as_json: bool, markdown: bool) -> str:
    if markdown:
        return markdown_table(described)
    if as_json:
        return json.dumps([dataclasses.asdict(variable) for variable in described], indent=2)
    lines: list[str] = []
    for variable in described:
        now = f"  [set: {variable.shown}]" if variable.value_set else ""
        default = f"  (default: {variable.default})" if variable.default else ""
        lines += [f"{variable.name}{default}{now}", f"    {variable.description}"]
    return "\n".join(lines)
