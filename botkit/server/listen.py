"""From an application to a listening socket, and gracefully back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

from aiohttp import web

from botkit.errors import BotkitError
from botkit.server.connection import Connection, protocol_factory
from botkit.server.service import SERVICE, Service

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 8.0
"""Less than the ten seconds that Docker and Cloud Run give between SIGTERM and SIGKILL."""

_BACKLOG = 256
_CUT_SECONDS = 0.5
"""For a response that is being written when the draining is over."""


class Companion(Protocol):
    """Something that lives as long as the server listens."""

    async def open(self) -> None:
        """Before the first connection is accepted."""
        ...

    async def start(self) -> None:
        """Once the server listens."""
        ...

    def ready(self) -> None:
        """The completion can answer."""
        ...

    async def drain(self, seconds: float) -> None:
        """The server takes nothing new: end what runs within ``seconds``."""
        ...

    async def aclose(self) -> None:
        """Give everything back; also called when :meth:`open` failed."""
        ...


@contextlib.asynccontextmanager
async def listening(
    app: web.Application,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    drain_seconds: float = DRAIN_SECONDS,
    companion: Companion | None = None,
) -> AsyncIterator[str]:
    """Listen while the block runs; yields the address, as ``http://127.0.0.1:8080``.

    Afterwards no connection is accepted any more, running requests get ``drain_seconds`` to
    finish, and what is left is cancelled.

    Args:
        app: From :func:`botkit.server.create_app`.
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        drain_seconds: For running requests at the end.
        companion: Drained beside the running requests.

    Raises:
        OSError: The address cannot be bound.
    """
    service = app[SERVICE]
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_CUT_SECONDS)
    await runner.setup()
    assert runner.server is not None
    try:
        factory = protocol_factory(runner.server, service.limits)
        loop = asyncio.get_running_loop()
        sockets = await loop.create_server(factory, host, port, backlog=_BACKLOG)
        try:
            yield _address(host, sockets)
        finally:
            service.stopping = True
            sockets.close()
            beside = companion.drain(drain_seconds) if companion else asyncio.sleep(0)
            await asyncio.gather(_drain(runner.server, service, drain_seconds), beside)
    finally:
        await runner.cleanup()


async def serve(
    app: web.Application,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    drain_seconds: float = DRAIN_SECONDS,
    stop: asyncio.Event | None = None,
    on_listening: Callable[[str], None] | None = None,
    on_ready: Callable[[], None] | None = None,
    companion: Companion | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``.

    The completion starts in the background once the server listens: ``/healthz`` answers at once,
    ``/readyz`` when the model can.

    Args:
        app: From :func:`botkit.server.create_app`.
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        drain_seconds: How long running requests may go on after the signal.
        stop: Set it to stop from within.
        on_listening: Called with the address.
        on_ready: Called when the model can answer.
        companion: Opened before the server listens, closed after it.

    Raises:
        OSError: The address cannot be bound.
        BotkitError: The completion could not start; the server has stopped.
    """
    service = app[SERVICE]
    stop = stop or asyncio.Event()
    with _stopped_by_signals(stop):
        try:
            if companion is not None:
                await companion.open()
            async with listening(
                app, host, port, drain_seconds=drain_seconds, companion=companion
            ) as address:
                if on_listening is not None:
                    on_listening(address)
                if companion is not None:
                    await companion.start()
                await _start(service, stop)
                if not stop.is_set():
                    _tell_ready(companion, on_ready)
                await stop.wait()
        finally:
            if companion is not None:
                await companion.aclose()
            await service.completion.aclose()


def _tell_ready(companion: Companion | None, on_ready: Callable[[], None] | None) -> None:
    if companion is not None:
        companion.ready()
    if on_ready is not None:
        on_ready()


async def _start(service: Service, stop: asyncio.Event) -> None:
    """Start the completion, or stop waiting for it when ``stop`` comes first."""
    starting = asyncio.ensure_future(service.start())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
    except BotkitError as error:
        service.failure = str(error)
        logger.error("start-up failed: %s", error)
        raise
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)


async def _drain(server: web.Server, service: Service, seconds: float) -> None:
    """Close idle connections and wait for the requests that are under way."""
    for connection in server.connections:
        if isinstance(connection, Connection) and not connection.answering:
            connection.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await service.stats.idle()
    if service.stats.in_flight:
        logger.warning("%d requests cut off by shutdown", service.stats.in_flight)


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    installed = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread of a Unix process can; elsewhere `stop` is the way.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            installed.append(number)
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)


def _address(host: str, sockets: asyncio.Server) -> str:
    port = sockets.sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
