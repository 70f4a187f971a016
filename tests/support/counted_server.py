"""Run as a script: the local completion behind its server, with its counters at ``/counters``.

Usage: ``counted_server.py``, with the settings in the environment. Prints as `botkit serve` does.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from botkit.completion import ChatCompletion, ChatCompletionChunk, ChatCompletionRequest
from botkit.server import create_app, serve
from botkit.settings import Settings
from botkit_models.local import LocalCompletion, local_completion


class Counted:
    """A local completion that remembers how far the engine was when a request was over."""

    def __init__(self, inner: LocalCompletion) -> None:
        self._inner = inner
        self.left_at = -1

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def complete(self, request: ChatCompletionRequest) -> ChatCompletion:
        """As the inner one."""
        try:
            return await self._inner.complete(request)
        finally:
            self.left_at = self._inner.stats.decode_dispatches

    async def stream(
        self, request: ChatCompletionRequest
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """As the inner one."""
        try:
            async with aclosing(self._inner.stream(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self.left_at = self._inner.stats.decode_dispatches

    async def counters(self, request: web.Request) -> web.Response:
        """The engine's, how many jobs wait, and ``left_at``."""
        waiting = self._inner._loaded().engine.waiting
        found = {**dataclasses.asdict(self._inner.stats), "waiting": waiting}
        return web.json_response({**found, "left_at": self.left_at})


async def main() -> None:
    """Serve until a signal comes."""
    completion = Counted(local_completion(Settings.load()))
    app = create_app(completion)  # type: ignore[arg-type]
    app.router.add_get("/counters", completion.counters)
    await serve(app, port=0, on_listening=lambda url: print(f"listens on {url}"))


if __name__ == "__main__":
    asyncio.run(main())
