"""What every handler of one application shares."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from botkit.completion import Completion
from botkit.completion.model import Model
from botkit.completion.parse import parse_request
from botkit.errors import (
    CompletionUnavailableError,
    ModelNotFoundError,
    SettingsError,
)
from botkit.server.limits import ServerLimits
from botkit.server.patience import patience

RequestT = TypeVar("RequestT", bound=BaseModel)

ANY_MODEL = "*"


@dataclass
class ServerStats:
    """Requests so far.

    Fields:
        in_flight: Being answered now.
        served: Answered, with whatever status.
        cancelled: Given up because the client left.
    """

    in_flight: int = 0
    served: int = 0
    cancelled: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def enter(self) -> None:
        """A request begins."""
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request ends."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no request is being answered."""
        if self.in_flight:
            await self._idle.wait()


@dataclass
class Service:
    """The completion that answers, and how requests reach it.

    Fields:
        completion: Who answers.
        aliases: Other names for its models; ``*`` stands for any name.
        limits: Bounds on clients.
        stats: Counters.
        failure: Why start-up failed, or None.
        stopping: True once the server takes no new work.
        open_paths: Paths that ask for no API key and take any content type: their handlers check
            who is calling.
        raw_paths: Paths whose handlers read the body themselves.
    """

    completion: Completion
    aliases: Mapping[str, str]
    limits: ServerLimits
    stats: ServerStats = field(default_factory=ServerStats)
    failure: str | None = None
    stopping: bool = False
    open_paths: frozenset[str] = frozenset()
    raw_paths: frozenset[str] = frozenset()

    @property
    def not_ready(self) -> str | None:
        """Why a request would not be answered now; None when it would."""
        if self.failure is not None:
            return f"start-up failed: {self.failure}"
        if self.stopping:
            return "shutting down"
        return None if self.completion.ready else "the model is loading"

    async def start(self) -> None:
        """Start the completion and see that every alias leads to a model.

        Raises:
            BotkitError: What the completion's start raised, or a SettingsError about an alias.
        """
        await self.completion.start()
        served = {model.id for model in await self.completion.models()}
        for alias, model in self.aliases.items():
            if model not in served:
                raise SettingsError(
                    f"the model alias {alias!r} leads to {model!r}, which is not served here; "
                    f"served: {', '.join(sorted(served))}"
                )

    async def model(self, name: str) -> Model:
        """The model that ``name`` means: itself, an alias of it, or what ``*`` stands for.

        Raises:
            CompletionUnavailableError: Nothing can be answered yet, or any more.
            ModelNotFoundError: No such model.
        """
        self.check_ready()
        models = {model.id: model for model in await self.completion.models()}
        for candidate in (name, self.aliases.get(name), self.aliases.get(ANY_MODEL)):
            if candidate is not None and candidate in models:
                return models[candidate]
        raise ModelNotFoundError(name)

    def check_ready(self) -> None:
        """Raise CompletionUnavailableError when nothing can be answered."""
        reason = self.not_ready
        if reason is not None:
            raise CompletionUnavailableError(f"The service cannot answer now: {reason}.")


SERVICE = web.AppKey("service", Service)


async def accept(request: web.Request, kind: type[RequestT]) -> tuple[Service, RequestT]:
    """The service, and the request body with ``model`` being the real model's id, and with the
    deadline that the headers say where it has none itself.

    The path's ``{engine}``, where the route has one, is the model.

    Raises:
        InvalidRequestError: The body is wrong.
        CompletionUnavailableError: Nothing can be answered yet, or any more.
        ModelNotFoundError: No such model.
    """
    service = request.app[SERVICE]
    given = {"model": engine} if (engine := request.match_info.get("engine")) else {}
    parsed = parse_request(kind, await request.read(), **given)
    model = await service.model(getattr(parsed, "model"))  # noqa: B009 - every request type has it
    update: dict[str, object] = {"model": model.id}
    waits = patience(request, streamed=getattr(parsed, "stream", False))
    if waits is not None and getattr(parsed, "deadline", None) is None:
        update["deadline"] = waits
    return service, parsed.model_copy(update=update)
