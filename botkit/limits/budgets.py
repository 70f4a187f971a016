"""Tokens per day: reserved before they are used, in every scope at once, so that no request that is
granted can exceed what is left.

Three places count. This process always does. Redis makes it exact between processes; with every
request it is told what is known to be spent, so that one that was emptied is right again. The
database keeps the day for processes that come later; it is told in the background.

Without Redis, or while it is away, processes learn of one another's use when they save their own,
and may together exceed a budget by what they use in between.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from botkit.errors import BudgetExceededError, CompletionError, OverloadedError, StoreError
from botkit.limits.ledger import Account, Ledger, Reservation
from botkit.limits.lua import lua
from botkit.limits.scopes import Kind, Names, Scope
from botkit.redis_link import RedisLink
from botkit.redis_script import Script
from botkit.store import Store

logger = logging.getLogger(__name__)

DAY = 86400
SAVE_AFTER = 1.0
"""Seconds after which what was used is saved, with all that was used meanwhile."""

LONGEST_PAUSE = 30.0
AGAIN = 1.0
"""Seconds after which it is tried again to reserve what other requests may leave."""


class Budgets:
    """Tokens per day and scope. Days are UTC's.

    Args:
        limits: Tokens, by whose they are; 0 for any number.
        names: Of scopes.
        store: Where days are kept.
        redis: Where processes count together; None counts in this one alone.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        limits: Mapping[Kind, int],
        names: Names,
        store: Callable[[], Store],
        redis: RedisLink | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tells_usage = True
        self._limits = {kind: limit for kind, limit in limits.items() if limit}
        self._names = names
        self._store = store
        self._clock = clock
        self._take = None if redis is None else Script(redis, lua("take"))
        self._give = None if redis is None else Script(redis, lua("give"))
        self._ledger = Ledger()
        self._unsaved: set[Account] = set()
        self._saving = asyncio.Lock()
        self._saver: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def reserve(self, scopes: Sequence[Scope], want: int, least: int) -> Reservation:
        """Tokens for one request, to be settled when it has ended.

        Args:
            scopes: Whose tokens.
            want: The most that it can use.
            least: With fewer it is not worth while.

        Raises:
            BudgetExceededError: A scope has not so many left today.
            OverloadedError: It has, but other requests hold them, and may not use them.
        """
        accounts = self._accounts(scopes)
        unseen = [account for account in accounts if not account.seen]
        if unseen:
            await self._look(unseen)
            accounts = self._accounts(scopes)  # the day may have ended
        asked = self._ledger.ask(accounts, want, least) if accounts else Reservation((), want)
        if isinstance(asked, Account):
            raise self._refusal(asked, least)
        if self._take is None or not accounts:
            asked.confirm(asked.tokens)
            return asked
        # Cancelled in between, nobody would know what Redis granted.
        task = self._spawn(self._confirm(self._take, asked, least))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(lambda task: self._unwanted(task, asked))
            raise

    def settle(self, reservation: Reservation, used: int) -> None:
        """So many of the reserved tokens were used; the others may be used by others."""
        if reservation.settled:
            return
        reservation.settle(used)
        if used:
            self._unsaved.update(reservation.accounts)
        if self._closed or not reservation.accounts:
            return
        unused = reservation.tokens - used
        if self._give is not None and unused:
            self._spawn(self._give_back(self._give, reservation.accounts, unused))
        if used and (self._saver is None or self._saver.done()):
            self._saver = asyncio.create_task(self._save_soon())

    async def flush(self) -> None:
        """Save what was used.

        Raises:
            StoreError: The database is away; it is saved another time.
        """
        async with self._saving:
            while self._unsaved:
                day = next(iter(self._unsaved)).day
                spent = {each: each.unsaved for each in self._unsaved if each.day == day}
                totals = await self._store().add_usage(
                    day, {account.key: tokens for account, tokens in spent.items()}
                )
                for account, tokens in spent.items():
                    account.unsaved -= tokens
                    account.saved = max(account.saved, totals[account.key])
                    if not account.unsaved:
                        self._unsaved.discard(account)

    async def idle(self) -> None:
        """Return when everything is saved, or cannot be."""
        try:
            await self.flush()
        except StoreError as error:
            logger.warning("the tokens used today are not saved yet: %s", error)
        if self._background:
            await asyncio.wait(self._background)

    async def aclose(self) -> None:
        """Save what was used, and stop."""
        self._closed = True
        if self._saver is not None:
            self._saver.cancel()
            await asyncio.wait({self._saver})
        await self.idle()

    async def _confirm(self, take: Script, asked: Reservation, least: int) -> Reservation:
        """Have Redis agree; where it is away, this process decides alone."""
        accounts = asked.accounts
        sizes = [number for each in accounts for number in (each.limit, each.known)]
        answer = await take.run(_keys(accounts), [asked.tokens, least, 2 * DAY, *sizes])
        if answer is None:
            asked.confirm(asked.tokens)
            return asked
        tokens, tight = map(int, answer.split())
        asked.confirm(tokens)
        if not tokens:
            asked.settle(0)
            raise self._refusal(accounts[tight - 1], least)
        return asked

    def _unwanted(self, task: asyncio.Task[Reservation], asked: Reservation) -> None:
        """Nobody waits for it any more: give it back."""
        if not task.cancelled() and task.exception() is None:
            self.settle(asked, 0)

    async def _give_back(self, give: Script, accounts: Sequence[Account], unused: int) -> None:
        known = [account.known for account in accounts]
        await give.run(_keys(accounts), [unused, 2 * DAY, *known])

    async def _look(self, accounts: Sequence[Account]) -> None:
        """See what was used by processes before this one."""
        try:
            used = await self._store().usage_today(
                accounts[0].day, [account.key for account in accounts]
            )
        except StoreError as error:
            logger.warning("the tokens used today cannot be read: %s", error)
            return
        for account in accounts:
            account.seen = True
            account.saved = max(account.saved, used.get(account.key, 0))

    async def _save_soon(self) -> None:
        pause = SAVE_AFTER
        while True:
            await asyncio.sleep(pause)
            try:
                await self.flush()
            except StoreError as error:
                logger.warning("the tokens used today are not saved yet: %s", error)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            if not self._unsaved:
                return
            pause = SAVE_AFTER

    def _accounts(self, scopes: Sequence[Scope]) -> list[Account]:
        day = int(self._clock() // DAY)
        return [
            self._ledger.account(day, self._names.name(scope, day), scope.kind, limit)
            for scope in scopes
            if (limit := self._limits.get(scope.kind)) is not None
        ]

    def _refusal(self, account: Account, least: int) -> CompletionError:
        if account.limit - account.saved - account.unsaved >= least and not account.idle:
            held = "Other requests hold what is left today."
            return OverloadedError(held, retry_after=AGAIN, code="budget_held")
        return BudgetExceededError(account.kind, (account.day + 1) * DAY - self._clock())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _keys(accounts: Sequence[Account]) -> list[str]:
    return [f"botkit:tokens:{account.day}:{account.key}" for account in accounts]
