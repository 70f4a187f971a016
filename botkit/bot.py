"""A bot: the handlers that a developer registers, and what they say about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from botkit import defaults, plugins
from botkit.adapter import HUMAN, Adapter
from botkit.app import BotApplication
from botkit.completion import Completion
from botkit.pipeline import Middleware
from botkit.push import Pushing
from botkit.quality import HandOff
from botkit.replies import Reply
from botkit.routing import Router
from botkit.settings import Settings
from botkit.turn import Turn

ChooseMiddleware = Callable[[list[Middleware]], Sequence[Middleware]]
"""Is given the usual middleware, and returns what to take."""


class Bot(Router):
    """A bot. Register handlers on it, then ``botkit serve FILE`` or :meth:`application`.

    Args:
        instructions: The system message; None takes BOTKIT_INSTRUCTIONS.
        middleware: Outermost first; None takes :func:`botkit.middleware.default_middleware`, and a
            function is given those and returns what to take.
        handlers: Names of installed handler plugins to register; a handler of the bot for the same
            command or action takes its place.

    Raises:
        SettingsError: There is no such plugin.
        HandlerError: A plugin's handler cannot be registered.
    """

    def __init__(
        self,
        *,
        instructions: str | None = None,
        middleware: Sequence[Middleware] | ChooseMiddleware | None = None,
        handlers: Sequence[str] = ("memory",),
    ) -> None:
        super().__init__()
        self.instructions = instructions
        self.middleware = middleware
        self.hands_off: HandOff | None = None
        with self.replaceable():
            for name in handlers:
                plugins.load(plugins.HANDLERS, name)(self)

    def hand_off(self, function: HandOff) -> HandOff:
        """Answer where the model could not: ``async (turn, reason) -> Reply | str | None``.

        It answers ``/human`` too, the reason being ``asked``, unless the bot has such a command.
        """
        self.hands_off = function
        if not any(each.name == HUMAN for each in self.commands):
            with self.replaceable():
                self.command(HUMAN, description="Talk to a person")(_asked_for_human(function))
        return function

    def application(
        self,
        settings: Settings,
        completion: Completion,
        adapters: Sequence[Adapter] | None = None,
        pusher: Pushing | None = None,
    ) -> BotApplication:
        """The bot with everything it needs; nothing is opened yet.

        Args:
            settings: From :meth:`Settings.load`.
            completion: Who answers by default; whoever serves starts it.
            adapters: None takes every installed one whose variables are set.
            pusher: Has turns run; None is this process, or what BOTKIT_TRIGGER says.

        Raises:
            SettingsError: A variable is wrong or missing.
            MissingExtraError: A platform or the database needs an extra of botkit.
        """
        chosen = plugins.load_adapters(settings) if adapters is None else adapters
        return BotApplication(self, settings, completion, chosen, pusher)


def _asked_for_human(hand_off: HandOff) -> Callable[[Turn], Awaitable[Reply | str | None]]:
    async def human(turn: Turn) -> Reply | str | None:
        return await hand_off(turn, "asked") or defaults.NOBODY

    return human
