"""What this process knows to be spent; nothing here waits, so nothing comes in between."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from botkit.limits.scopes import Kind

ACCOUNTS = 100_000
"""Accounts that are remembered; of more, those go that are saved and were used longest ago."""


@dataclass(slots=True, eq=False)
class Account:
    """The tokens of one scope on one day.

    Fields:
        day: Days since 1970.
        key: Names the scope.
        kind: What it is.
        limit: What may be spent.
        seen: Whether the database was asked.
        saved: Spent by everybody, as the database said last.
        unsaved: Spent here since.
        held: Reserved here.
        asked: Reserved here if Redis agrees.
    """

    day: int
    key: str
    kind: Kind
    limit: int
    seen: bool = False
    saved: int = 0
    unsaved: int = 0
    held: int = 0
    asked: int = 0

    @property
    def known(self) -> int:
        """What is certainly spent or reserved."""
        return self.saved + self.unsaved + self.held

    @property
    def left(self) -> int:
        """What may still be reserved."""
        return self.limit - self.known - self.asked

    @property
    def idle(self) -> bool:
        """Whether the database has all of it."""
        return not (self.unsaved or self.held or self.asked)


@dataclass(eq=False)
class Reservation:
    """Tokens that a request may use.

    Fields:
        accounts: Whose they are.
        tokens: How many.
        confirmed: Whether Redis agreed, or is not asked.
        settled: Whether it is known how many were used.
    """

    accounts: Sequence[Account]
    tokens: int
    confirmed: bool = False
    settled: bool = False

    def confirm(self, tokens: int) -> None:
        """Keep so many of what was asked for."""
        for account in self.accounts:
            account.asked -= self.tokens
            account.held += tokens
        self.tokens, self.confirmed = tokens, True

    def settle(self, used: int) -> None:
        """So many were used; the others are free again."""
        for account in self.accounts:
            account.held -= self.tokens
            account.unsaved += used
        self.settled = True


@dataclass
class Ledger:
    """The accounts, the last used last."""

    _accounts: OrderedDict[tuple[int, str], Account] = field(default_factory=OrderedDict)

    def account(self, day: int, key: str, kind: Kind, limit: int) -> Account:
        """The account of a scope."""
        account = self._accounts.get((day, key))
        if account is None:
            account = self._accounts[day, key] = Account(day, key, kind, limit)
            self._bound()
        else:
            self._accounts.move_to_end((day, key))
        return account

    def ask(self, accounts: Sequence[Account], want: int, least: int) -> Reservation | Account:
        """Reserve as many tokens as every account has left, ``want`` at most; where that is fewer
        than ``least``, the account that has least left."""
        tightest = min(accounts, key=lambda account: account.left)
        tokens = min(want, tightest.left)
        if tokens < least:
            return tightest
        for account in accounts:
            account.asked += tokens
        return Reservation(accounts, tokens)

    def _bound(self) -> None:
        for _ in range(2):  # grows by one at a time: more than that go as they come
            if len(self._accounts) <= ACCOUNTS:
                return
            place, oldest = next(iter(self._accounts.items()))
            if oldest.idle:
                del self._accounts[place]
            else:
                self._accounts.move_to_end(place)
