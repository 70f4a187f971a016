"""A browser that adds a bot to workspaces of a simulated Slack."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from botkit.testing.served import ServedBot, serving
from botkit.testing.slack import SlackSimulator


@dataclass
class Answered:
    """A page."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Browser:
    """One browser, with cookies of its own."""

    session: aiohttp.ClientSession

    async def open(self, url: str | URL) -> Answered:
        async with self.session.get(url) as response:
            text = await response.text()
            return Answered(response.status, text, dict(response.headers))

    async def turned_to(self, url: str | URL) -> str:
        """Where a page sends the browser, which does not go there."""
        async with self.session.get(url, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            return response.headers["Location"]


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # loopback is an address, not a name
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(session)


async def asked(slack: SlackSimulator, bot: ServedBot, browser: Browser) -> dict[str, str]:
    """The links on Slack's page, by workspace; ``deny`` declines."""
    page = await browser.open(await browser.turned_to(f"{bot.address}/slack/install"))
    assert page.status == 200, page.text
    links = [html.unescape(each) for each in re.findall(r'href="([^"]+)"', page.text)]
    origin = URL(slack.api_base_url).origin()
    return {URL(each).query.get("team", "deny"): str(origin.join(URL(each))) for each in links}


async def returning(
    slack: SlackSimulator, bot: ServedBot, browser: Browser, team: str = "T0SIM"
) -> str:
    """The address that Slack sends a person back to, who allowed it for ``team``."""
    return await browser.turned_to((await asked(slack, bot, browser))[team])


async def add(slack: SlackSimulator, bot: ServedBot, team: str = "T0SIM") -> Answered:
    """Add the bot to a workspace, in a browser of its own."""
    async with browsing() as browser:
        return await browser.open(await returning(slack, bot, browser, team))


@dataclass
class Distributed(ServedBot):
    """A bot that workspaces add."""

    slack: SlackSimulator

    async def add(self, team: str = "T0SIM") -> Answered:
        return await add(self.slack, self, team)


@contextlib.asynccontextmanager
async def distributed(
    home: Path, slack: SlackSimulator | None = None, **settings: Any
) -> AsyncIterator[Distributed]:
    """The bot, on a Slack of its own or on ``slack``."""
    async with contextlib.AsyncExitStack() as stack:
        if slack is None:
            slack = await stack.enter_async_context(SlackSimulator(time_scale=0.001))
        served = await stack.enter_async_context(
            serving(slack=slack, installs=True, home=home, **settings)
        )
        yield Distributed(served.application, served.completion, served.address, slack)
