"""The database of the settings, for commands that look into it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from botkit.errors import StoreError
from botkit.settings import Settings
from botkit.store import Store, open_store
from botkit.variables import MASK

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])
MANY = 1_000_000


def with_store(use: Callable[[Store], Awaitable[T]]) -> T:
    """Open the database of the settings for ``use``.

    Raises:
        SettingsError, MissingExtraError, StoreError: It cannot be opened; the message says why.
    """

    async def run() -> T:
        store = await open_store(Settings.load().database)
        try:
            return await use(store)
        finally:
            await store.aclose()

    return run_on_database(run())


def run_on_database(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``; where the database cannot be reached, the error holds the server's reason."""
    with _what_the_pool_says() as reasons:
        try:
            return asyncio.run(work)
        except StoreError as error:
            raise (StoreError(f"{error}: {reasons[-1]}") if reasons else error) from None


def limit_option(default: int, about: str) -> Callable[[Function], Function]:
    """``--limit``."""
    return click.option(
        "--limit", type=click.IntRange(1, MANY), default=default, show_default=True, help=about
    )


@contextmanager
def _what_the_pool_says() -> Iterator[list[str]]:
    """Why PostgreSQL could not be reached: the pool logs that, again and again, and does not
    raise it. The words hold no password."""
    reasons: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            first, *_ = record.getMessage().splitlines()
            reason = first.partition(": ")[2] or first
            # Of a password with a bare @, the rest counts as the host's name.
            reasons.append(re.sub(r"[^\s'\"]*@", f"{MASK}@", reason))

    logger = logging.getLogger("psycopg.pool")
    handler = Kept(logging.WARNING)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield reasons
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
