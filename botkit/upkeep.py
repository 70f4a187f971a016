"""What is done beside the turns: deleting what is old, and pushing what became due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from botkit.push import Pushing
from botkit.store import Store

logger = logging.getLogger(__name__)

PRUNE_AFTER = 30 * 86400.0
"""Seconds for which it is remembered that an event was seen; platforms retry for a day."""

PRUNE_EVERY = 3600.0
PRUNE_AT_START = 30.0
PUSH_EVERY = 1.0


async def prune_now_and_then(store: Store, retention_days: float) -> None:
    """Delete old rows for ever; soon after the start too, for a process that never lives for an
    hour.

    Args:
        store: Where.
        retention_days: After which what was said is deleted; 0 keeps it.
    """
    await asyncio.sleep(PRUNE_AT_START)
    while True:
        try:
            await store.prune(PRUNE_AFTER)
            if retention_days:
                await store.retain(retention_days * 86400.0)
        except Exception:
            logger.warning("old rows could not be deleted", exc_info=True)
        await asyncio.sleep(PRUNE_EVERY)


async def push_what_is_due(store: Store, platforms: Sequence[str], pusher: Pushing) -> None:
    """Push what became due later: a turn that failed, a reply that waits, a push that was lost.

    While the platform lets this process run; a scheduler has to push where it does not.
    """
    while True:
        await asyncio.sleep(PUSH_EVERY)
        try:
            due = await store.next_due(platforms)
            if due is not None and due <= 0:
                await pusher.push(None)
        except Exception:
            logger.warning("what is due could not be pushed", exc_info=True)
