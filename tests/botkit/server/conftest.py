"""A server on the test's own event loop, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from botkit.completion import Completion
from botkit.server import SERVICE, Service, create_app, listening

CHAT: dict[str, Any] = {
    "model": "scripted",
    "messages": [{"role": "user", "content": "hello my friend"}],
}


@dataclass
class Running:
    """A listening server and a session whose base URL it is."""

    url: str
    http: aiohttp.ClientSession
    service: Service

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@pytest.fixture
def chat() -> dict[str, Any]:
    """The body of a chat request."""
    return dict(CHAT)


@pytest.fixture
async def run() -> AsyncIterator[Callable[..., Any]]:
    """``await run(completion, **create_app's)``: serve it until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(completion: Completion, *, started: bool = True, **options: Any) -> Running:
            app = create_app(completion, **options)
            url = await stack.enter_async_context(listening(app, drain_seconds=0.2))
            if started:
                await app[SERVICE].start()
            http = await stack.enter_async_context(aiohttp.ClientSession(url))
            return Running(url, http, app[SERVICE])

        yield start
