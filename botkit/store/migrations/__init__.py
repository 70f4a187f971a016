"""Numbered SQL migrations, each applied once, in order, under a lock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from botkit.errors import StoreError
from botkit.store.statement import Driver, Script, Statement, execute, first


@cache
def migrations() -> dict[int, tuple[str, str]]:
    """The name and the text of every migration, by number."""
    return {
        int(entry.name[:4]): (entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }


async def apply(driver: Driver) -> list[str]:
    """Bring the database to this version of botkit; the names of what was applied.

    Raises:
        StoreError: It was made by a newer botkit, or cannot be changed.
    """
    return await driver.run(lambda: _apply(driver.migration_lock, driver.types))


async def version(driver: Driver) -> int:
    """The number of the last migration that was applied; 0 for an empty database. Changes nothing.

    Raises:
        StoreError: The database cannot be read.
    """
    return await driver.run(lambda: _version(driver.tables), reads=True)


def _version(tables: str) -> Script[int]:
    found = yield Statement(tables)
    if ("botkit_migrations",) not in found:
        return 0
    return (yield from _last())


def _last() -> Script[int]:
    row = yield from first("SELECT COALESCE(MAX(version), 0) FROM botkit_migrations")
    return int(row[0]) if row else 0


def _apply(lock: str | None, types: Mapping[str, str]) -> Script[list[str]]:
    if lock is not None:
        yield Statement(lock)
    yield Statement(
        "CREATE TABLE IF NOT EXISTS botkit_migrations"
        " (version INTEGER PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
    )
    before = yield from _last()
    newest = max(migrations())
    if before > newest:
        raise StoreError(
            f"the database is of version {before}, and this botkit knows versions up to {newest}:"
            " it was used by a newer botkit; install that one, or choose another database with"
            " BOTKIT_DATABASE_URL"
        )
    applied: list[str] = []
    for number in range(before + 1, newest + 1):
        name, text = migrations()[number]
        for sql in _statements(text.format_map(dict(types))):
            yield Statement(sql)
        applied.append(name)
        yield from execute(
            "INSERT INTO botkit_migrations (version, applied_at) VALUES (:version, :now)",
            version=number,
        )
    return applied


def _statements(text: str) -> list[str]:
    """The statements of a migration: each ends with a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    parts = "\n".join(lines).split(";\n")
    return [part.strip().rstrip(";") for part in parts if part.strip()]
