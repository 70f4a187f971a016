"""A TCP proxy that cuts what passes through it, as bad networks do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 65536


@dataclass
class CuttingProxy:
    """Passes connections on to a server.

    Fields:
        url: Where it listens.
        target: Host and port of the server; may be changed for connections to come.
        cuts: How many connections it has cut.
        accepts: Whether new connections are passed on; otherwise they are closed at once.
    """

    url: str = ""
    target: tuple[str, int] = ("127.0.0.1", 0)
    cuts: int = 0
    accepts: bool = True
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self) -> int:
        """Reset every open connection; how many there were."""
        cut = [each for each in self._open if not each.is_closing()]
        for writer in cut:
            writer.transport.abort()
        self._open.clear()
        self.cuts += len(cut)
        return len(cut)

    async def cutting(self, every: float) -> None:
        """Cut every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            self.cut()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.accepts:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # it ends in any case
                far_reader, far_writer = await asyncio.open_connection(*self.target)
                try:
                    await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
                finally:
                    far_writer.transport.abort()
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _end(self) -> None:
        self.accepts = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes; the end of one side is the end of the other."""
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        writer.transport.abort() if reader.at_eof() is False else writer.close()


@contextlib.asynccontextmanager
async def cutting_proxy(target: str) -> AsyncIterator[CuttingProxy]:
    """A proxy in front of ``target``, an address as ``http://127.0.0.1:8080``."""
    proxy = CuttingProxy()
    aim(proxy, target)
    server = await asyncio.start_server(proxy._pass, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy._end()


def aim(proxy: CuttingProxy, target: str) -> None:
    """Have connections to come lead to ``target``."""
    parts = urlsplit(target)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy.target = (parts.hostname, parts.port)
