"""Work that ends where a person has had enough of waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from botkit.adapter import Stoppable

T = TypeVar("T")


class StoppedError(Exception):
    """The person wanted no more of it; it does not run any more."""


async def unless_stopped(
    preview: Stoppable, work: Awaitable[T], may_end: Callable[[], bool] = lambda: True
) -> T:
    """What ``work`` returns or raises.

    Args:
        preview: Where the person says that it is enough.
        work: Cancelled then.
        may_end: Whether it may be, asked when the person says so; otherwise it goes on.

    Raises:
        StoppedError: It was.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(preview.stopped())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() or not may_end():
            return await working
        raise StoppedError
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
