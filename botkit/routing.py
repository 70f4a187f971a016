"""Which handler answers an event. Signatures are inspected once, at registration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from botkit.adapter import CommandHelp
from botkit.errors import HandlerError
from botkit.handler import Handler, Kind, inspect_handler
from botkit.types import Event

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Route:
    """A handler and what it answers.

    Fields:
        kind: The kind of events.
        name: The command's or the action's name; empty for others.
        pattern: What a message must hold; None for others.
        handler: Who answers.
        description: One line for lists of commands.
        replaceable: A bot's own handler for the same takes its place.
    """

    kind: Kind
    handler: Handler
    name: str = ""
    pattern: re.Pattern[str] | None = None
    description: str = ""
    replaceable: bool = False

    def gives_way(self, kind: Kind, name: str) -> bool:
        """Whether a handler of this kind and name takes its place."""
        return self.replaceable and bool(name) and (self.kind, self.name) == (kind, name)

    def match(self, event: Event) -> dict[str, str] | None:
        """The texts that the event gives to the handler's arguments; None when it is not meant."""
        if self.kind == "message" and self.pattern is not None:
            found = self.pattern.search(event.text) if event.kind == "message" else None
            return None if found is None else _groups(found)
        if event.kind != self.kind or (self.name and self.name != event.name):
            return None
        return {}


def _groups(found: re.Match[str]) -> dict[str, str]:
    return {name: text for name, text in found.groupdict().items() if text is not None}


class Router:
    """Handlers in the order of registration; the first that matches answers."""

    def __init__(self) -> None:
        self._routes: list[Route] = []
        self._default: Handler | None = None
        self._replaceable = False

    @contextmanager
    def replaceable(self) -> Iterator[None]:
        """What is registered in the block gives way to later handlers of the same."""
        self._replaceable = True
        try:
            yield
        finally:
            self._replaceable = False

    @property
    def commands(self) -> tuple[CommandHelp, ...]:
        """Every command, with one line about it."""
        return tuple(
            CommandHelp(route.name, route.description or route.name)
            for route in self._routes
            if route.kind == "command"
        )

    def find(self, event: Event) -> tuple[Handler, dict[str, str]] | None:
        """Who answers ``event``, and the texts for its arguments; None when nobody said so."""
        for route in self._routes:
            texts = route.match(event)
            if texts is not None:
                return route.handler, texts
        if self._default is not None and event.kind in ("message", "command"):
            return self._default, {}
        return None

    def command(self, name: str, *, description: str = "") -> Callable[[Function], Function]:
        """Answer ``/name``; further parameters are parsed from the text after it.

        Args:
            name: Lower-case letters, digits, ``-`` and ``_``, without the slash.
            description: For lists of commands; the docstring's first line when left out.

        Raises:
            HandlerError: The name or the signature cannot be, or the command has a handler.
        """
        name = name.removeprefix("/")
        if not re.fullmatch(r"[a-z0-9_-]{1,32}", name):
            raise HandlerError(
                f"{name!r} cannot be a command: 1 to 32 lower-case letters, digits, - and _"
            )
        self._refuse_second("command", name)
        return self._adding("command", name=name, description=description)

    def message(self, pattern: str | re.Pattern[str]) -> Callable[[Function], Function]:
        """Answer messages in which the regular expression is found, whatever the case.

        Its named groups go to the parameters of that name.

        Raises:
            HandlerError: The expression or the signature cannot be.
        """
        try:
            compiled = re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern
        except re.error as error:
            raise HandlerError(f"{pattern!r} is no regular expression: {error}") from None
        return self._adding("message", pattern=compiled)

    def action(self, name: str) -> Callable[[Function], Function]:
        """Answer presses of the button with this id; ``value`` is the button's.

        Raises:
            HandlerError: The signature cannot be, or the action has a handler.
        """
        self._refuse_second("action", name)
        return self._adding("action", name=name)

    def feedback(self, function: Function) -> Function:
        """Hear what people say about replies; ``value`` is ``positive`` or ``negative``."""
        return self._adding("feedback")(function)

    def started(self, function: Function) -> Function:
        """Greet a person who opens a conversation without having said anything."""
        return self._adding("lifecycle", name="started")(function)

    def default(self, function: Function) -> Function:
        """Answer messages and commands that nobody else does.

        Raises:
            HandlerError: The signature cannot be, or there is a default handler.
        """
        if self._default is not None:
            raise HandlerError("there is a default handler already")
        self._default = inspect_handler(function, "message", frozenset())
        return function

    def _adding(
        self,
        kind: Kind,
        *,
        name: str = "",
        pattern: re.Pattern[str] | None = None,
        description: str = "",
    ) -> Callable[[Function], Function]:
        def add(function: Function) -> Function:
            groups = frozenset(pattern.groupindex) if pattern else frozenset[str]()
            handler = inspect_handler(function, kind, groups)
            about = description or (function.__doc__ or "").strip().partition("\n")[0]
            self._routes = [each for each in self._routes if not each.gives_way(kind, name)]
            self._routes.append(Route(kind, handler, name, pattern, about, self._replaceable))
            self._routes.sort(key=lambda route: route.replaceable)  # stable: own handlers first
            return function

        return add

    def _refuse_second(self, kind: Kind, name: str) -> None:
        same = (each for each in self._routes if (each.kind, each.name) == (kind, name))
        if any(not each.replaceable for each in same):
            raise HandlerError(f"the {kind} {name!r} has a handler already")
