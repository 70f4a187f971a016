"""The dashboard and the alerts ask for what ``/metrics`` exposes, in PromQL that parses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import promql_parser
import pytest
import yaml
from prometheus_lint import exposed_name, families

from botkit import Bot
from botkit.metrics import Metrics
from botkit.testing.served import serving
from botkit.testing.telegram import TelegramSimulator

GRAFANA = Path(__file__).parents[2] / "infra" / "grafana"
FROM_PROMETHEUS = {"instance", "job", "le"}
ROWS = ["Is it healthy?", "Turns", "Model", "Platforms", "Cache and limits"]


@dataclass(frozen=True)
class Asked:
    """A series that an expression asks for, and the labels it is selected or grouped by."""

    name: str
    labels: frozenset[str]


def asked(expression: str) -> list[Asked]:
    """What an expression asks for; Grafana's interval is filled in."""
    text = expression.replace("$__rate_interval", "5m")
    return list(_asked(promql_parser.parse(text), frozenset()))


def _asked(node: Any, grouped: frozenset[str]) -> Iterator[Asked]:
    if isinstance(node, promql_parser.VectorSelector):
        chosen = {matcher.name for matcher in node.matchers.matchers}
        yield Asked(node.name, grouped | chosen)
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from _asked(node.vector_selector, grouped)
    elif isinstance(node, promql_parser.AggregateExpr):
        by = set(node.modifier.labels) if node.modifier is not None else set()
        yield from _asked(node.expr, grouped | by)
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from _asked(node.lhs, grouped)
        yield from _asked(node.rhs, grouped)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from _asked(argument, grouped)
    elif isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        yield from _asked(node.expr, grouped)
    else:
        assert isinstance(node, promql_parser.NumberLiteral), type(node)


def chosen(expression: str) -> set[tuple[str, str, str]]:
    """Series, label and value of what an expression selects by name."""
    found = re.findall(r"(botkit_\w+)\{([^}]*)\}", expression)
    return {
        (series, label, value)
        for series, matchers in found
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', matchers)
        for value in values.split("|")
        if not value.startswith("$")
    }


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GRAFANA / "botkit.json").read_text())
    return loaded


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((GRAFANA / "alerts.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> dict[str, str]:
    """By where they stand."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            found[f"panel {panel['id']} {panel['title']} {target['refId']}"] = target["expr"]
    return found


async def page() -> str:
    """The metrics of a bot that has answered, and failed."""
    bot = Bot()

    @bot.command("fail")
    async def fail() -> str:
        raise ValueError

    async with (
        TelegramSimulator() as telegram,
        serving(bot, telegram=telegram, turn_attempts=1) as running,
        aiohttp.ClientSession() as session,
    ):
        alice = telegram.user("Alice")
        alice.send("hello")
        alice.send("/fail")
        await telegram.replies(alice.chat, 2)
        await running.idle()
        async with session.get(f"{running.address}/metrics") as response:
            return await response.text()


async def test_what_is_selected_by_name_is_there_from_the_start() -> None:
    """Else a misspelt outcome would be an alert that never fires."""
    present = {
        (sample.name, label, value)
        for family in families(await page())
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    wanted = {each for text in expressions().values() for each in chosen(text)}
    assert {each for each in wanted if "turns" in each[0] or "sends" in each[0]} <= present
    assert ("botkit_turns_total", "outcome", "dead") in wanted


async def test_every_expression_asks_for_what_is_exposed() -> None:
    labels = {each.name: set(each.labels) for each in Metrics().registry.described}
    exposed: dict[str, set[str]] = {}
    seen: set[str] = set()
    for family in families(await page()):
        name = exposed_name(family)
        suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
        exposed |= {f"{name}{suffix}": labels[name] | FROM_PROMETHEUS for suffix in suffixes}
        seen |= {sample.name for sample in family.samples}
    wanted: set[str] = set()
    for where, expression in expressions().items():
        found = asked(expression)
        assert found, where
        for each in found:
            assert each.name in exposed, f"{where}: nothing is called {each.name}"
            assert each.labels <= exposed[each.name], f"{where}: {each}"
            wanted.add(each.name)
    without_data = wanted - seen
    assert without_data <= {
        "botkit_cache_requests_total",
        "botkit_limited_total",
        "botkit_moderation_flagged_total",
        "botkit_summaries_total",
        "botkit_inbound_total",
    }


def test_every_metric_is_on_the_dashboard() -> None:
    """What is worth counting is worth seeing."""
    names = {each.name for text in expressions().values() for each in asked(text)}
    for described in Metrics().registry.described:
        suffix = "_bucket" if described.kind == "histogram" else ""
        assert described.name + suffix in names, described.name


def test_the_dashboard_can_be_imported() -> None:
    board = dashboard()
    assert board["id"] is None
    assert board["schemaVersion"] >= 39
    assert board["title"] == board["uid"] == "botkit"
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board))) - {"__rate_interval", "__all"}
    assert used == variables.keys()
    panels = board["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == ROWS
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert all(each["datasource"] == panel["datasource"] for each in panel["targets"])


def test_panels_lie_beside_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alerts_say_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description"}
    used = {label for each in asked(rule["expr"]) for label in each.labels}
    for label in ("platform", "model"):
        if f"$labels.{label}" in rule["annotations"]["summary"]:
            assert label in used


def test_the_parser_finds_what_is_wrong() -> None:
    assert asked('sum by (a) (rate(b_total{c="d"}[1m]))') == [
        Asked("b_total", frozenset({"a", "c"}))
    ]
    with pytest.raises(ValueError, match="unclosed"):
        asked("sum by (")
