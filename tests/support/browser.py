"""The browser for tests of pages: headless Chromium, where one is installed."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def skip_without_browser() -> None:
    """Skip the calling module when there is nothing to open a page with."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed", allow_module_level=True)
