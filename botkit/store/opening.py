"""From a URL to an open store."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from botkit.errors import SettingsError
from botkit.store import migrations
from botkit.store.sqlite import MEMORY, SQLiteDriver
from botkit.store.statement import Driver
from botkit.store.store import Store

FORMS = "sqlite:///file.db, sqlite:////folder/file.db, sqlite:///:memory: or postgresql://..."


async def open_store(url: str, *, clock: Callable[[], float] | None = None) -> Store:
    """Open a database, make it when it is an SQLite file that is missing, and migrate it.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite:///:memory:`` or
            ``postgresql://user:password@host/database``.
        clock: Seconds since 1970, for tests; None takes the machine's clock for SQLite and the
            server's for PostgreSQL.

    Raises:
        SettingsError: The URL is of no such form.
        MissingExtraError: PostgreSQL without its extra.
        StoreError: The database cannot be reached, or was made by a newer botkit.
    """
    driver = await _connect(url, clock)
    try:
        await migrations.apply(driver)
    except BaseException:
        await driver.aclose()
        raise
    return Store(driver)


async def migrate(url: str) -> list[str]:
    """Bring a database to this version of botkit; the names of the migrations that this took.

    Raises as :func:`open_store`.
    """
    driver = await _connect(url, None)
    try:
        return await migrations.apply(driver)
    finally:
        await driver.aclose()


async def database_version(url: str) -> int:
    """The number of a database's last migration, 0 when it has none; nothing is migrated.

    Raises as :func:`open_store`.
    """
    driver = await _connect(url, None)
    try:
        return await migrations.version(driver)
    finally:
        await driver.aclose()


async def _connect(url: str, clock: Callable[[], float] | None) -> Driver:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = unquote(parts.path[1:])
        return SQLiteDriver(MEMORY if path == MEMORY else path, clock or time.time)
    if parts.scheme in ("postgresql", "postgres"):
        from botkit.store.postgres import PostgresDriver

        return await PostgresDriver.connect(url, clock)
    raise SettingsError(f"BOTKIT_DATABASE_URL is of none of these forms: {FORMS}")
