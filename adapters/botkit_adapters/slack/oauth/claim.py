"""The right to spend a workspace's refresh token, which works once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from botkit.adapter import Records

HELD_SECONDS = 30.0
"""After which a claim ends by itself; more than a refresh takes, with all its tries to keep it."""

GRACE_SECONDS = 5.0
"""For which neither a baton nor a holder must be seen before a new baton is made."""

POLL_SECONDS = 0.1


class Claim:
    """One attempt to be the only one, among all processes on one database.

    A baton lies in the records, and :meth:`take` removes it: of concurrent callers one gets it.
    The holder leaves a note that expires. A holder that dies takes the baton with it; once its note
    has expired, whoever waits makes a new baton. A holder that freezes between the baton and the
    note for longer than ``GRACE_SECONDS`` is not alone any more; Slack then refuses the second use
    of the refresh token, and the one refused reads what the first has kept.

    Every method raises :class:`botkit.errors.StoreError`.
    """

    def __init__(
        self, records: Records, team: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._baton = f"baton:{team}"
        self._note = f"holder:{team}"
        self._clock = clock
        self._missing_since: float | None = None

    async def take(self) -> bool:
        """Whether the claim is this one's now; ask again after ``POLL_SECONDS``."""
        if await self._records.get(self._note) is not None:
            self._missing_since = None
            return False
        if await self._records.take(self._baton) is None:
            await self._mend()
            return False
        await self._records.put(self._note, {}, expires_in=HELD_SECONDS)
        return True

    async def give_back(self) -> None:
        """Let others have it; also for a workspace that is new."""
        await self._records.put(self._baton, {})
        await self._records.take(self._note)

    async def wait_free(self, within: float) -> None:
        """Return when nobody holds it, or after ``within`` seconds."""
        deadline = self._clock() + within
        while True:
            if await self._records.get(self._note) is None or self._clock() >= deadline:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def drop(self) -> None:
        """Leave no trace of it."""
        await self._records.take(self._baton)
        await self._records.take(self._note)

    async def _mend(self) -> None:
        now = self._clock()
        if self._missing_since is None:
            self._missing_since = now
        elif now - self._missing_since >= GRACE_SECONDS:
            self._missing_since = None
            await self._records.put(self._baton, {})
