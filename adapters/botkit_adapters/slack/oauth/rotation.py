"""Tokens that live for twelve hours, replaced in time
(https://docs.slack.dev/authentication/using-token-rotation).

The refresh token works once, and its answer is the only copy of the next one. What can go wrong:

* The process dies before the request left: nothing was spent. Another takes over when the claim
  has expired.
* The process dies, or the connection breaks, after Slack did it and before the answer was kept:
  the next token is lost. No order of steps avoids this window; it is one request and one commit
  long. The old token works until it expires, two hours after it was due. Within them the refresh
  is tried again every minute, and where Slack refuses it, the log says that the app must be added
  again.
* The database refuses the answer: the process works with what it has in memory, and tries to keep
  it until that succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botkit.errors import (
    DeliveryDelayedError,
    DeliveryError,
    DeliveryRefusedError,
    StoreError,
)
from botkit_adapters.slack.oauth.claim import POLL_SECONDS, Claim

if TYPE_CHECKING:
    from slack_sdk.oauth.installation_store import Bot

logger = logging.getLogger(__name__)

MARGIN_SECONDS = 2 * 3600.0
"""Before its end at which a token is due."""

WAIT_SECONDS = 15.0
"""For another process to finish."""

PAUSE_SECONDS = 60.0
"""After a refresh that failed."""

RETRY_SECONDS = 5.0
"""After which a delivery that has no token now may ask again."""


@dataclass
class Rotation:
    """Gets due tokens replaced, once, whoever asks.

    Fields:
        read: The bot of a workspace, as it is kept now.
        save: Keeps a bot's new tokens.
        refresh: Spends the refresh token.
        claim: Makes a claim for a workspace.
    """

    read: Callable[[str], Awaitable[Bot]]
    save: Callable[[Bot], Awaitable[None]]
    refresh: Callable[[Bot], Awaitable[Bot]]
    claim: Callable[[str], Claim]
    _running: dict[str, asyncio.Task[Bot]] = field(default_factory=dict)
    _keeping: set[asyncio.Task[None]] = field(default_factory=set)
    _failed: dict[str, tuple[float, DeliveryError]] = field(default_factory=dict)
    _closing: bool = False

    def due(self, team: str, bot: Bot) -> bool:
        """Whether the token should be replaced before it is used."""
        return _due(bot) and not (_alive(bot) and self._failure(team))

    async def renewed(self, team: str, spoilt: str = "") -> Bot:
        """The bot with a token that is not due, or that still works where there is no better one.

        Args:
            team: The workspace.
            spoilt: A token that Slack calls expired, whatever this machine's clock says.

        Raises:
            DeliveryDelayedError: There is none now.
            DeliveryRefusedError: There is none any more.
            StoreError: It cannot be read.
        """
        task = self._running.get(team)
        if task is None:
            task = self._running[team] = asyncio.create_task(self._renew(team, spoilt))
            task.add_done_callback(lambda done: self._done(team, done))
        # A caller that is cancelled must not take the answer with it.
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Let refreshes end and be kept: what is lost now is lost for good."""
        self._closing = True
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _done(self, team: str, task: asyncio.Task[Bot]) -> None:
        self._running.pop(team, None)
        if not task.cancelled():
            task.exception()  # looked at: its callers may all have gone

    async def _renew(self, team: str, spoilt: str) -> Bot:
        claim, deadline = self.claim(team), time.monotonic() + WAIT_SECONDS
        while True:
            bot = await self.read(team)
            if not _due(bot, spoilt):
                return bot
            if failure := self._failure(team):
                return _usable(bot, spoilt, failure)
            if await claim.take():
                try:
                    return await self._spend(team, spoilt)
                finally:
                    await _give_back(claim, team)
            if self._closing or time.monotonic() > deadline:
                return self._fail(team, bot, spoilt, _later("another process refreshes the token"))
            await asyncio.sleep(POLL_SECONDS)

    async def _spend(self, team: str, spoilt: str) -> Bot:
        bot = await self.read(team)
        if not _due(bot, spoilt):
            return bot  # somebody was quicker
        try:
            rotated = await self.refresh(bot)
        except DeliveryRefusedError as error:
            newest = await self.read(team)
            if newest.bot_refresh_token != bot.bot_refresh_token:
                return newest  # somebody was quicker, and this refresh token is spent
            logger.error(
                "Slack refuses to refresh the token of %s (%s): the app must be added there again, "
                "at /slack/install",
                team,
                error.reason,
            )
            gone = DeliveryRefusedError(f"token_expired: {error.reason}")
            return self._fail(team, bot, spoilt, gone)
        except DeliveryError as error:
            logger.warning("the token of %s could not be refreshed: %s", team, error.reason)
            return self._fail(team, bot, spoilt, _later(error.reason))
        try:
            return await self._keep(team, bot, rotated)
        except StoreError as error:
            logger.error("the new token of %s cannot be kept yet: %s", team, error)
            self._begin(self._keep_later(team, bot, rotated))
            return rotated

    def _begin(self, keeping: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(keeping)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def _keep(self, team: str, bot: Bot, rotated: Bot) -> Bot:
        newest = await self.read(team)
        if newest.installed_at != bot.installed_at:
            return newest  # the app was added again meanwhile
        await self.save(rotated)
        return rotated

    async def _keep_later(self, team: str, bot: Bot, rotated: Bot) -> None:
        pause = 0.2
        while True:
            await asyncio.sleep(pause)
            try:
                await self._keep(team, bot, rotated)
                return
            except DeliveryRefusedError:
                return  # the app was removed meanwhile
            except StoreError as error:
                if self._closing:
                    logger.error("the new token of %s is lost: %s", team, error)
                    return
            pause = min(2 * pause, 10.0)

    def _failure(self, team: str) -> DeliveryError | None:
        until, error = self._failed.get(team, (0.0, None))
        return error if time.monotonic() < until else None

    def _fail(self, team: str, bot: Bot, spoilt: str, error: DeliveryError) -> Bot:
        self._failed[team] = (time.monotonic() + PAUSE_SECONDS, error)
        return _usable(bot, spoilt, error)


def _later(reason: str) -> DeliveryDelayedError:
    return DeliveryDelayedError(f"no token now: {reason}", RETRY_SECONDS)


async def _give_back(claim: Claim, team: str) -> None:
    try:
        await claim.give_back()
    except StoreError as error:
        logger.warning("the claim on the token of %s ends by itself: %s", team, error)


def _due(bot: Bot, spoilt: str = "") -> bool:
    if bot.bot_token_expires_at is None or bot.bot_refresh_token is None:
        return False
    return bot.bot_token == spoilt or _ends_within(bot, MARGIN_SECONDS)


def _ends_within(bot: Bot, seconds: float) -> bool:
    return bot.bot_token_expires_at is not None and bot.bot_token_expires_at < time.time() + seconds


def _alive(bot: Bot) -> bool:
    return not _ends_within(bot, 0.0)


def _usable(bot: Bot, spoilt: str, otherwise: DeliveryError) -> Bot:
    if _alive(bot) and bot.bot_token != spoilt:
        return bot
    raise otherwise
