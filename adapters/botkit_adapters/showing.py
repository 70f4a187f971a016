"""The newest text of a reply, shown at the platform's pace, one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from botkit.errors import DeliveryDelayedError, DeliveryError, StoreError

CLOSE_SECONDS = 3.0
"""For which a call that is under way is waited for in the end: one that is cut off may be carried
out all the same, after the reply, and whoever made it has to count with that."""

FIRST_SECONDS = 0.1
"""Before the first call: a reply that is whole by then is not worth a preview."""

DELAY_SECONDS = 1.0
"""Until the next call, where the platform puts one off and does not say for how long."""

Show = Callable[[str], Awaitable[float | None]]
"""Shows a text; the seconds until the next may be shown, or None when none may be any more."""


class Showing:
    """Calls ``show`` with the newest text, until it says so or fails."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._text = ""
        self._changed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._call: asyncio.Task[float | None] | None = None

    async def update(self, text: str) -> None:
        """Show ``text`` soon."""
        self._text = text
        self._changed.set()
        if self._loop is None:
            self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop, once the call under way has ended or has taken too long."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._call is None:
            return
        try:
            await asyncio.wait({self._call}, timeout=CLOSE_SECONDS)
        finally:
            self._call.cancel()
        await asyncio.gather(self._call, return_exceptions=True)

    async def _run(self) -> None:
        pause: float | None = FIRST_SECONDS
        while pause is not None:
            await asyncio.sleep(pause)
            await self._changed.wait()
            self._changed.clear()
            # Cancelled with this loop, it would be carried out or not, and nobody would know.
            self._call = asyncio.create_task(_call(self._show, self._text))
            pause = await asyncio.shield(self._call)


async def _call(show: Show, text: str) -> float | None:
    try:
        return await show(text)
    except DeliveryDelayedError as error:
        return error.retry_after or DELAY_SECONDS
    except (DeliveryError, StoreError):
        return None
