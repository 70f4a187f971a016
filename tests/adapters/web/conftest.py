"""Bots on the web, for these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from web_visitor import Site, Visitor, bot_on_the_web


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A bot that says how many messages the model was shown, and the last one's text."""
    async with bot_on_the_web(tmp_path) as running:
        yield running


@pytest.fixture
async def visitor(site: Site) -> Visitor:
    """Somebody there."""
    return await site.visitor()
