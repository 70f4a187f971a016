"""Deadlines: for how long whoever asks is willing to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import Field

from botkit.errors import DeadlineExceededError

MAX_SECONDS = 86_400.0

Deadline = Annotated[float, Field(ge=1, le=MAX_SECONDS)] | None
"""Seconds from the arrival of a request to the end of its reply, or None for as long as it takes.

An extension. A model that knows beforehand that it has no room in time answers 429 at once;
whatever is not done when the time is over ends with
:class:`~botkit.errors.DeadlineExceededError`, a stream that has begun included."""


@asynccontextmanager
async def in_time(seconds: float | None, since: float | None = None) -> AsyncIterator[None]:
    """Cancel the block after ``seconds``, counted from ``since`` on the event loop's clock (now).

    Raises:
        DeadlineExceededError: They are over.
    """
    begin = asyncio.get_running_loop().time() if since is None else since
    limit = asyncio.timeout_at(None if seconds is None else begin + seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineExceededError(f"No answer within {seconds:g} s.") from None
