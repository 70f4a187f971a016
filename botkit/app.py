"""A bot at work: settings, adapters, middleware and completion made into one application."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from botkit.adapter import Adapter, AdapterRoute
from botkit.asking import Asking
from botkit.completion import Completion
from botkit.completion.defaults import request_defaults
from botkit.console import make_console
from botkit.deliverer import Deliverer
from botkit.errors import SettingsError
from botkit.intake import BotIntake
from botkit.metrics import Metrics
from botkit.middleware import default_middleware
from botkit.middleware.guards import guards
from botkit.pipeline import Middleware
from botkit.pseudonyms import Pseudonyms
from botkit.push import PATH, Pushing, make_pusher, turns_handler
from botkit.runner import Runner
from botkit.scrape import Scrape
from botkit.settings import Settings
from botkit.spans import NO_TRACER, Tracer
from botkit.steps import Steps
from botkit.store import Store, open_store
from botkit.toolkit import make_toolkit
from botkit.tracing import make_tracer
from botkit.types import ConversationKey
from botkit.upkeep import prune_now_and_then, push_what_is_due
from botkit.watch import TurnWatch
from botkit.work_options import WorkOptions
from botkit.worker import Worker

if TYPE_CHECKING:
    from botkit.bot import Bot

FLUSH_SECONDS = 1.0
"""For spans to leave before a platform freezes the process."""


class BotApplication:
    """A bot at work; a :class:`botkit.server.listen.Companion` of the server.

    Fields:
        metrics: What it counts.
        adapters: Its platforms, by name.
        tracer: Who takes the spans of its turns; another one counts before :meth:`open`.
    """

    def __init__(
        self,
        bot: Bot,
        settings: Settings,
        completion: Completion,
        adapters: Sequence[Adapter],
        pusher: Pushing | None = None,
    ) -> None:
        self.metrics = Metrics()
        self.adapters = {adapter.name: adapter for adapter in adapters}
        self.tracer: Tracer = NO_TRACER
        self._bot = bot
        self._settings = settings
        self._completion = completion
        self._completion_ready = asyncio.Event()
        self._asking = Asking(
            completion,
            self._wait_ready,
            partial(request_defaults, settings.reply_tokens),
            None if settings.completion == "echo" else settings.model,
        )
        self._key = settings.key
        self._pseudonyms = Pseudonyms(self._key)
        if pusher is None and settings.trigger == "http":
            pusher = make_pusher(settings)
        self._pusher = pusher
        self._store: Store | None = None
        self.kit = make_toolkit(
            settings, self.metrics, lambda: self.store, self._asking, bot.hands_off
        )
        self._guards = guards(self.kit)
        self._worker: Worker | None = None
        self._intakes: dict[str, BotIntake] = {}
        self._upkeep: list[asyncio.Task[None]] = []
        self._console = make_console(
            settings,
            lambda: self.store,
            self._pseudonyms,
            tuple(self.adapters),
            self._completion_ready.is_set,
            self._something_is_due,
        )

    @property
    def store(self) -> Store:
        """The open store.

        Raises:
            RuntimeError: :meth:`open` was not called.
        """
        if self._store is None:
            raise RuntimeError("the bot's store is not open")
        return self._store

    @property
    def open_routes(self) -> list[AdapterRoute]:
        """The platforms' routes, the one for pushes, and the console's."""
        routes = [
            route
            for adapter in self.adapters.values()
            for route in adapter.routes(_LateIntake(self._intakes, adapter.name))
        ]
        if self._key:
            routes.append(AdapterRoute("POST", PATH, turns_handler(self._key, self._run_pushed)))
        if self._console is not None:
            routes += self._console.routes
        return routes

    @property
    def routes(self) -> list[AdapterRoute]:
        """Routes behind the API keys."""
        scrape = Scrape(lambda: self.store, self.metrics, self._completion)
        return [AdapterRoute("GET", "/metrics", scrape.show)]

    async def open(self) -> None:
        """Open the store, so that events can be taken.

        Raises:
            SettingsError, MissingExtraError, StoreError: It cannot be opened.
        """
        if self._settings.database_url is None:
            self._settings.home.mkdir(parents=True, exist_ok=True)
        if self.tracer is NO_TRACER:
            self.tracer = make_tracer(self._settings)
        if self._console is not None:
            self.tracer = self._console.recording(self.tracer)
        self._store = await open_store(self._settings.database)
        self._worker = self._make_worker(self._store)
        for name in self.adapters:
            self.metrics.expect(name)
            self._intakes[name] = BotIntake(
                name,
                self._store,
                self._worker,
                self.metrics,
                self._bot.commands,
                self._pusher,
                redact=self._settings.redact,
            )

    async def start(self) -> None:
        """Take up work, old and new. Call :meth:`open` first."""
        assert self._worker is not None
        self._worker.start()
        for name, adapter in self.adapters.items():
            await adapter.start(self._intakes[name])
        upkeep = [prune_now_and_then(self.store, self._settings.retention_days)]
        if self._pusher is not None and self._pusher.sweeps:
            upkeep.append(push_what_is_due(self.store, tuple(self.adapters), self._pusher))
        self._upkeep = [asyncio.create_task(each) for each in upkeep]

    def ready(self) -> None:
        """The completion can answer: turns that wait for it go on."""
        self._completion_ready.set()

    async def drain(self, seconds: float) -> None:
        """End what runs within ``seconds`` and give the rest back; events are still kept."""
        for adapter in self.adapters.values():
            await adapter.drain()
        if self._worker is not None:
            await self._worker.drain(max(0.0, seconds - 1.0))

    async def flush(self) -> None:
        """Give away what would be lost where a platform freezes the process: spans."""
        await self.tracer.flush(FLUSH_SECONDS)

    async def aclose(self) -> None:
        """Close adapters and store."""
        for task in self._upkeep:
            task.cancel()
        await asyncio.gather(*self._upkeep, return_exceptions=True)
        if self._pusher is not None:
            await self._pusher.aclose()
        for adapter in self.adapters.values():
            await adapter.aclose()
        await self.kit.aclose()
        if self._store is not None:
            await self._store.aclose()
        await self.tracer.aclose()

    def adapter(self, platform: str) -> Adapter:
        """The adapter of a platform.

        Raises:
            SettingsError: Its variables are not set any more.
        """
        try:
            return self.adapters[platform]
        except KeyError:
            raise SettingsError(f"the platform {platform!r} is not set up here") from None

    def _make_worker(self, store: Store) -> Worker:
        settings = self._settings
        deliverer = Deliverer(settings.send_policy, settings.delivery_attempts, self.metrics)
        instructions = self._bot.instructions
        runner = Runner(
            store,
            self.adapter,
            deliverer,
            self._bot,
            self._middleware(),
            self._asking,
            settings.instructions if instructions is None else instructions,
            settings.vision,
        )
        options = WorkOptions(
            platforms=tuple(self.adapters),
            concurrency=settings.concurrent_turns,
            lease_seconds=settings.lease_seconds,
            overlap=settings.overlap,
            merge_window=settings.merge_window,
            turn_attempts=settings.turn_attempts,
            turn_timeout=settings.turn_timeout,
            polls=self._pusher is None,
        )
        watch = TurnWatch(self.metrics, self.tracer, self._pseudonyms)
        steps = Steps(store, runner, deliverer, self.adapter, watch, options)
        return Worker(store, steps, self.metrics, options)

    def _middleware(self) -> Sequence[Middleware]:
        chosen = self._bot.middleware
        if chosen is None or callable(chosen):
            usual = default_middleware(self.kit)
            chosen = usual if chosen is None else chosen(usual)
        return [*self._guards, *chosen]

    async def _wait_ready(self) -> None:
        await self._completion_ready.wait()

    async def _something_is_due(self) -> None:
        if self._pusher is not None:
            await self._pusher.push(None)
        elif self._worker is not None:
            self._worker.wake()

    async def run_due(self, conversation: ConversationKey | None) -> float | None:
        """Work on what is due, ``conversation`` first, until it is done.

        Returns:
            Seconds until more is due, there or, without a conversation, anywhere; None when
            nothing waits.

        Raises:
            StoreError: The store cannot be asked.
        """
        assert self._worker is not None
        await self._worker.run_due(conversation)
        await self.kit.idle()  # nothing runs after the response
        if self._pusher is not None:
            await self.flush()
        return await self.store.next_due(tuple(self.adapters), conversation)

    async def _run_pushed(self, conversation: ConversationKey | None) -> bool:
        due = await self.run_due(conversation)
        # Of one conversation all; else what others hold, or is due later, is not this push's.
        return due is None or (conversation is None and due > 0)


class _LateIntake:
    """Stands for an intake in routes, which are made before the store is open."""

    def __init__(self, intakes: dict[str, BotIntake], name: str) -> None:
        self._intakes = intakes
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._intakes[self._name], attribute)
