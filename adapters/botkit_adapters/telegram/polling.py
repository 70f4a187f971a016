"""Updates by long polling: for development, and where nothing can be reached from outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from botkit.errors import DeliveryDelayedError, DeliveryError, DeliveryRefusedError, StoreError
from botkit_adapters.telegram.calls import Calls

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 50
LONGEST_PAUSE = 60.0

UPDATES = ("message", "callback_query", "my_chat_member")
"""The kinds that are asked for, here and by the webhook."""


async def poll(calls: Calls, take: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
    """Fetch updates until cancelled; each is confirmed to Telegram only after ``take`` kept it."""
    offset: int | None = None
    pause = 1.0
    while True:
        try:
            for update in await _fetch(calls, offset):
                await _keep(update, take)
                offset = int(update["update_id"]) + 1
            pause = 1.0
        except (DeliveryError, StoreError) as error:
            wait = getattr(error, "retry_after", None) or pause
            _explain(error, wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)


async def _fetch(calls: Calls, offset: int | None) -> list[dict[str, Any]]:
    arguments = {
        "offset": offset,
        "timeout": LONG_POLL_SECONDS,
        "allowed_updates": list(UPDATES),
    }
    updates: list[dict[str, Any]] = await calls.call(
        "getUpdates", arguments, read_timeout=LONG_POLL_SECONDS + 10.0
    )
    return updates


async def _keep(
    update: Mapping[str, Any], take: Callable[[Mapping[str, Any]], Awaitable[None]]
) -> None:
    try:
        await take(update)
    except ValueError:
        logger.warning("an update of an unknown shape was skipped")


def _explain(error: Exception, wait: float) -> None:
    if isinstance(error, DeliveryRefusedError) and "onflict" in error.reason:
        logger.error("another process polls this bot, or a webhook is set: %s", error.reason)
    elif not isinstance(error, DeliveryDelayedError):
        logger.warning("polling Telegram failed, again in %.0f s: %s", wait, error)
