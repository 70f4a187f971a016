"""A bot with a console, over loopback, on a real store."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession
from stage import Stage, on_stage

from botkit.console.recorder import Recorder
from botkit.server import create_app, listening

KEY = "a key of the console's own"


@dataclass
class Console:
    """What whoever holds the key has."""

    stage: Stage
    address: str
    http: ClientSession
    headers: dict[str, str] = field(default_factory=lambda: {"authorization": f"Bearer {KEY}"})

    @property
    def recorder(self) -> Recorder:
        tracer = self.stage.application.tracer
        assert isinstance(tracer, Recorder)
        return tracer

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """What the API answers."""
        where = f"{self.address}/console/api/{path}"
        async with self.http.get(where, params=query, headers=self.headers) as reply:
            return await _body(reply, status)

    async def post(self, path: str, status: int = 200, **options: Any) -> Any:
        options = {"json": {}, "headers": self.headers, **options}
        async with self.http.post(f"{self.address}/console/api/{path}", **options) as reply:
            return await _body(reply, status)

    async def last_turn(self) -> dict[str, Any]:
        """The timeline of the latest turn."""
        listed = await self.get("turns", limit=1)
        return dict(await self.get(f"turns/{listed['turns'][0]['id']}"))


async def _body(reply: ClientResponse, status: int) -> Any:
    assert reply.status == status, await reply.text()
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.content_type == "application/json"
    body = await reply.json()
    if status >= 400:
        assert body["error"]["message"].endswith((".", "'."))
    return body


Open = Callable[..., AbstractAsyncContextManager[Console]]


@pytest.fixture
def console(tmp_path: Path) -> Open:
    """Serve a bot with a console; the arguments are those of :func:`stage.on_stage`."""

    @contextlib.asynccontextmanager
    async def opened(*given: Any, api_keys: Any = (), **options: Any) -> AsyncIterator[Console]:
        options = {"console_key": KEY, **options}
        async with on_stage(tmp_path, *given, **options) as stage:
            bot = stage.application
            app = create_app(
                stage.completion,
                api_keys=api_keys,
                open_routes=bot.open_routes,
                routes=bot.routes,
            )
            async with listening(app, drain_seconds=0) as address, ClientSession() as http:
                yield Console(stage, address, http)

    return opened
