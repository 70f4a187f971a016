"""A bot and its server that outlive a call, and are at work only while one runs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from botkit.bot import Bot
from botkit.completion import Completion
from botkit.errors import BotkitError
from botkit.functions.http_events import HttpCall, write_answer
from botkit.plugins import load_completion
from botkit.push import PATH, Pushing
from botkit.server import SERVICE, ServerLimits, create_app
from botkit.server.connection import protocol_factory
from botkit.server.page import PAGE
from botkit.settings import Settings
from botkit.types import ConversationKey

PATIENCE = 10.0
"""Seconds that are waited for what is due soon (a turn to try again, messages to merge); longer
waits are left to the platform's retry, which costs nothing meanwhile."""

RESERVE = 5.0
"""Of a call's time, not waited away: for what comes then."""

SHORTEST_PAUSE = 0.02
QUICK = frozenset({"/", "/healthz", "/metrics", "/openapi.json"})
"""Paths that are answered without the model."""


class Resident:
    """The whole application, behind a socket that only this process reaches.

    Requests go through the socket, so that limits, keys and adapters are those of
    ``botkit serve``, down to the parser.

    Args:
        settings: From :meth:`Settings.load`.
        bot: Who answers.
        pusher: Has turns run.
        completion: None takes the one that the settings name.
    """

    def __init__(
        self, settings: Settings, bot: Bot, pusher: Pushing, completion: Completion | None = None
    ) -> None:
        self._completion = completion or load_completion(settings)
        self._bot = bot.application(settings, self._completion, pusher=pusher)
        self._app = create_app(
            self._completion,
            api_keys=[key.get_secret_value() for key in settings.api_keys],
            aliases=settings.model_aliases,
            limits=ServerLimits.of(settings),
            page=PAGE,
            open_routes=self._bot.open_routes,
            routes=self._bot.routes,
        )
        self._quick = QUICK | ({route.path for route in self._bot.open_routes} - {PATH})
        self._starting: asyncio.Task[None] | None = None
        self._closing = contextlib.AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the store and listen; the model is loaded when it is needed.

        Raises:
            SettingsError, MissingExtraError, StoreError: It cannot be opened.
        """
        self._closing.push_async_callback(self._bot.aclose)
        await self._bot.open()
        runner = web.AppRunner(self._app, handler_cancellation=True)
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        folder = tempfile.mkdtemp(prefix="botkit-")  # readable by this user alone
        self._closing.callback(shutil.rmtree, folder, ignore_errors=True)
        path = str(Path(folder, "socket"))
        assert runner.server is not None
        factory = protocol_factory(runner.server, self._app[SERVICE].limits)
        sockets = await asyncio.get_running_loop().create_unix_server(factory, path)
        self._closing.callback(sockets.close)
        self._session = await self._closing.enter_async_context(
            aiohttp.ClientSession(
                # A connection that was frozen may be half closed: every request has its own.
                connector=aiohttp.UnixConnector(path, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            )
        )
        await self._bot.start()

    async def answer(self, call: HttpCall) -> dict[str, Any]:
        """The application's response to a request, as a function returns it."""
        assert self._session is not None
        if call.path not in self._quick:
            with contextlib.suppress(BotkitError):  # the application says why it cannot answer
                await self._start_model()
        async with self._session.request(
            call.method,
            URL(f"http://localhost{call.target}", encoded=True),
            headers=call.headers,
            data=call.body or None,
            allow_redirects=False,
        ) as response:
            body = await response.read()
            return write_answer(response.status, response.headers.items(), body)

    async def work(self, conversation: ConversationKey | None, seconds: float) -> bool:
        """Work on a conversation, or on whatever is due, to its end.

        Args:
            conversation: None: on whatever is due.
            seconds: How long this call may last.

        Returns:
            Whether nothing is left that can be done now.

        Raises:
            BotkitError: The model cannot be loaded, or the store not be asked.
        """
        deadline = time.monotonic() + seconds - RESERVE
        await self._start_model()
        while True:
            due = await self._bot.run_due(conversation)
            if due is None:
                return True
            if conversation is None and due > 0:
                return True
            if due > min(PATIENCE, deadline - time.monotonic()):
                return False
            await asyncio.sleep(max(due, SHORTEST_PAUSE))

    async def aclose(self) -> None:
        """Close everything; also after :meth:`open` failed."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self._closing.aclose()
        await self._completion.aclose()

    async def _start_model(self) -> None:
        """Wait until the completion can answer; one that failed is tried again.

        Raises:
            BotkitError: It cannot.
        """
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._starting = asyncio.create_task(self._load())
        await asyncio.shield(self._starting)

    async def _load(self) -> None:
        service = self._app[SERVICE]
        service.failure = None
        try:
            await service.start()
        except BotkitError as error:
            service.failure = str(error)
            raise
        self._bot.ready()
