"""The chat page in a real browser, answered by the real model."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browser import ARGUMENTS, CHROMIUM, skip_without_browser
from local_model import MODEL, LocalServer

skip_without_browser()
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

PATIENCE = 60_000  # milliseconds: a shape that was not compiled yet may have to be


@pytest.fixture
async def page(local_server: LocalServer) -> AsyncIterator[Any]:
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        await page.goto(f"{local_server.url}/playground")
        yield page
        await browser.close()
        assert faults == []


async def test_a_newcomer_asks_and_is_answered(page: Any, tmp_path: Path) -> None:
    expect = playwright.expect
    replies = page.locator("#log .message.assistant")
    await expect(page.locator("#model")).to_have_text(MODEL)
    await page.get_by_role("button", name="What is the capital of France?").click()
    await expect(replies.nth(0)).to_have_text(re.compile("Paris"), timeout=PATIENCE)
    await expect(replies.nth(0)).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    await page.get_by_label("Your message").fill("And tell me a long story about that city.")
    await page.keyboard.press("Enter")
    await expect(replies.nth(1)).to_have_text(re.compile(r"(\w+\W+){5}"), timeout=PATIENCE)
    await expect(replies.nth(1)).to_have_attribute("aria-busy", "true")  # it streams
    await page.screenshot(path=tmp_path / "page.png")
    await page.get_by_role("button", name="Stop the reply").click()
    await expect(replies.nth(1)).to_have_attribute("aria-busy", "false")
    await expect(page.get_by_role("alert")).to_have_count(0)
