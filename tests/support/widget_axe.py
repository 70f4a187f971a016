"""axe-core: the rules of WCAG that a program can check, run inside a page."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "adapters" / "widget"
MODULES = FOLDER / "node_modules"
INSTALL_SECONDS = 240

RULES = {
    "runOnly": [
        *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"),
        *("best-practice", "section508"),
    ],
    "rules": {
        "target-size": {"enabled": True},
        "scrollable-region-focusable": {"enabled": True},
    },
    "resultTypes": ["violations", "incomplete"],
}

# What axe itself cannot decide: text over a gradient or a picture. Everything else has to pass.
RUN = """async (rules) => {
    const result = await window.axe.run(document, rules);
    const short = (found) => found.map((each) => ({
        id: each.id,
        impact: each.impact,
        help: each.help,
        nodes: each.nodes.map((node) => [
            JSON.stringify(node.target),
            node.html.slice(0, 240),
            [...node.any, ...node.all, ...node.none].map((check) => check.message).join('; '),
        ]),
    }));
    return {violations: short(result.violations), incomplete: short(result.incomplete),
            passes: result.passes.length};
}"""


@functools.cache
def module(path: str) -> str:
    """The text of a file of the widget's packages; skips the test where they cannot be had."""
    file = MODULES / path
    if not file.is_file():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm to install the widget's packages with")
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
        if not file.is_file():
            pytest.skip(f"the widget's packages cannot be installed: {done.stderr[-500:]}")
    return file.read_text(encoding="utf-8")


async def violations(page: Any) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it is now, shadow roots included.

    Playwright's evaluation is not bound by the page's policy, so that axe runs on strict pages too.
    """
    if not await page.evaluate("Boolean(window.axe)"):
        await page.evaluate(module("axe-core/axe.min.js"))
    found: dict[str, Any] = await page.evaluate(RUN, RULES)
    assert found["passes"] > 0
    wrong: list[dict[str, Any]] = found["violations"]
    return wrong
