"""AWS Lambda: ``botkit.functions.aws_lambda.handler``.

A function answers HTTP (API Gateway's HTTP APIs and function URLs, payload format 2.0) and is
frozen once it has. So it only keeps what a platform sent, and invokes itself: that second
invocation has no platform waiting, runs the turns, and lasts until they are done. When it raises,
Lambda runs it again. A schedule (EventBridge) has the rest drained.

With handlers of your own, in ``bot.py``::

    from botkit import Bot
    from botkit.functions.aws_lambda import LambdaFunction

    bot = Bot()
    handler = LambdaFunction(bot)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from botkit.bot import Bot
from botkit.completion import Completion
from botkit.errors import BotkitError, SettingsError
from botkit.functions.http_events import BadEventError, is_http, read_call, write_error
from botkit.functions.invoke import OWN, InvokePusher, read_work
from botkit.functions.resident import Resident
from botkit.logs import log_to_stderr
from botkit.settings import Settings

logger = logging.getLogger(__name__)

LEFT_TO_ANSWER = 1.0
"""Seconds before the end of an invocation at which a client is told that it took too long."""

RUNTIME = "awslambdaric"
"""AWS' runtime client, which calls the function."""


class Context(Protocol):
    """What Lambda says about an invocation."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still last."""
        ...


class LambdaFunction:
    """A bot as a Lambda function.

    One event loop lives as long as the process does, and turns only while an invocation runs: the
    process is frozen in between.

    Args:
        bot: None answers everything through the completion.
        completion: None takes the one that the settings name.
    """

    def __init__(self, bot: Bot | None = None, completion: Completion | None = None) -> None:
        self._bot = bot
        self._completion = completion
        self._loop: asyncio.AbstractEventLoop | None = None
        self._resident: Resident | None = None

    def __call__(self, event: Any, context: Context) -> dict[str, Any]:
        """Answer an invocation.

        Raises:
            BotkitError: The event is none that a bot takes, or work is left that has to be tried
                again; Lambda then does.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(self._invoked(event, context))

    def close(self) -> None:
        """Give everything back; Lambda does not ask for it, tests do."""
        if self._loop is None:
            return
        if self._resident is not None:
            self._loop.run_until_complete(self._resident.aclose())
            self._resident = None
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self._loop = None

    async def _invoked(self, event: Any, context: Context) -> dict[str, Any]:
        seconds = context.get_remaining_time_in_millis() / 1000
        if isinstance(event, Mapping):
            if OWN in event:
                return await self._work(event, context, seconds)
            if event.get("detail-type") == "Scheduled Event":
                return await self._work({OWN: {"conversation": None}}, context, seconds)
            if is_http(event):
                return await self._http(event, context, seconds)
        raise BotkitError(
            "the event is none that a bot takes: an HTTP request of payload format 2.0, a "
            "scheduled event, or what the function sends to itself"
        )

    async def _work(
        self, event: Mapping[str, Any], context: Context, seconds: float
    ) -> dict[str, Any]:
        conversation = read_work(event)
        resident = await self._opened(context)
        if not await resident.work(conversation, seconds):
            # Lambda tries again after a minute, and once more after two.
            raise BotkitError("work is left for a later invocation")
        return {"done": True}

    async def _http(
        self, event: Mapping[str, Any], context: Context, seconds: float
    ) -> dict[str, Any]:
        try:
            call = read_call(event)
        except BadEventError as error:
            logger.warning("a request was refused: %s", error)
            return write_error(400, str(error))
        try:
            async with asyncio.timeout(max(0.0, seconds - LEFT_TO_ANSWER)):
                resident = await self._opened(context)
                return await resident.answer(call)
        except TimeoutError:
            return write_error(504, "the function's time is over; give it a longer timeout")
        except BotkitError as error:
            # For the operator's log, not for whoever asks.
            logger.error("the bot cannot be opened: %s", error)
            return write_error(503, "the bot cannot answer now")

    async def _opened(self, context: Context) -> Resident:
        if self._resident is not None:
            return self._resident
        settings = Settings.load()
        _log(settings)
        if settings.database_url is None:
            raise SettingsError("set BOTKIT_DATABASE_URL: a function's own disk does not last")
        pusher = InvokePusher(context.invoked_function_arn)
        resident = Resident(settings, self._bot or Bot(), pusher, self._completion)
        try:
            await resident.open()
        except BaseException:
            await resident.aclose()
            raise
        self._resident = resident
        return resident


def _log(settings: Settings) -> None:
    """As ``botkit serve`` does, in the place of the runtime's own handlers, which withhold nothing;
    what goes to the standard error is in CloudWatch too."""
    if any(type(each).__module__.startswith(RUNTIME) for each in logging.getLogger().handlers):
        log_to_stderr(settings.log_level, settings.log_format)


handler = LambdaFunction()
"""The bot without handlers of its own: the model answers."""
