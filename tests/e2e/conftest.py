"""The servers that the client tests call: one over a scripted completion, and the real model.

Set ``BOTKIT_TEST_BASE_URL`` (with ``/v1``) and ``BOTKIT_TEST_MODEL`` to run the same tests against
any running server instead; it must have the alias ``text-davinci-002`` for that model, no ``*``
alias, and no API key.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from local_model import ALIAS, MODEL, LocalServer
from serving import serving
from widget_page import Browser, browsing
from widget_site import Site, site

from botkit.completion.script import Reply
from botkit.completion.scripted import ScriptedCompletion, echo
from botkit.server import create_app

GIVEN = os.environ.get("BOTKIT_TEST_BASE_URL")


@dataclass(frozen=True)
class Target:
    """Where clients find a server, and which model it has."""

    base_url: str
    model: str


def answer(request: object) -> Reply:
    """An echo of the last message; an empty one gets a greeting."""
    return echo(request) or "Hello there, friend!"  # type: ignore[arg-type]


@pytest.fixture(scope="session", params=["given"] if GIVEN else ["scripted", "local"])
def server(request: pytest.FixtureRequest) -> Iterator[Target]:
    if GIVEN:
        yield Target(GIVEN, os.environ["BOTKIT_TEST_MODEL"])
    elif request.param == "local":
        local: LocalServer = request.getfixturevalue("local_server")
        yield Target(f"{local.url}/v1", MODEL)
    else:
        completion = ScriptedCompletion(replies=answer, model="scripted")
        with serving(create_app(completion, aliases={ALIAS: "scripted"})) as served:
            yield Target(f"{served.url}/v1", "scripted")


@pytest.fixture
def base_url(server: Target) -> str:
    return server.base_url


@pytest.fixture
def model(server: Target) -> str:
    return server.model


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _chromium() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def chromium(_chromium: Browser) -> AsyncIterator[Browser]:
    """A browser for pages with the widget, one a module; every visitor's is empty."""
    browser = Browser(_chromium.chromium)
    yield browser
    await browser.leave()


@pytest_asyncio.fixture(loop_scope="module")
async def shop() -> AsyncIterator[Site]:
    """A web site that is not the bot's."""
    async with site() as served:
        yield served
