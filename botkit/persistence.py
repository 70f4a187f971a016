"""Keeping what happened, though the store is away or somebody cancels."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from botkit.errors import LeaseLostError, StoreError

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0


async def keep(write: Callable[[], Awaitable[T]], seconds: float | None) -> T:
    """Write to the store, again and again while it is away.

    Args:
        write: Changes nothing when it is done a second time.
        seconds: For how long; None as long as it takes.

    Raises:
        LeaseLostError: At once.
        StoreError: The store is still away.
    """
    pause = FIRST_PAUSE
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return await write()
        except LeaseLostError:
            raise
        except StoreError as error:
            if deadline is not None and time.monotonic() > deadline:
                raise
            logger.warning("the store is away, trying again: %s", error)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` whole: who is cancelled meanwhile waits for it first.

    A second cancellation does not wait, and leaves it running.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what counts now
        raise
