"""Run an application on a thread of its own, for clients that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from botkit.server import SERVICE, Service, listening


@dataclass
class Served:
    """A running server."""

    url: str
    service: Service


@contextmanager
def serving(app: web.Application) -> Iterator[Served]:
    """Listen on a free loopback port with the completion started, until the block ends."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started = threading.Event()
    address: list[str] = []
    errors: list[BaseException] = []

    async def main() -> None:
        async with listening(app, drain_seconds=1.0) as url:
            await app[SERVICE].start()
            address.append(url)
            started.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(main())
        except BaseException as error:
            errors.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    if errors:
        raise errors[0]
    try:
        yield Served(address[0], app[SERVICE])
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
    assert not thread.is_alive()
    assert not errors
