"""Numbered SQL migrations, each applied once, in order, under a lock."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from botkit.errors import StoreError
from botkit.store.statement import Driver, Script, Statement, execute, first


@cache
def migrations() -> dict[int, str]:
    """The text of every migration, by number."""
    return {
        int(entry.name[:4]): entry.read_text("utf-8")
        for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }


async def apply(driver: Driver) -> None:
    """Bring the database to this version of botkit.

    Raises:
        StoreError: It was made by a newer botkit, or cannot be changed.
    """
    await driver.run(lambda: _apply(driver.migration_lock, driver.types))


def _apply(lock: str | None, types: Mapping[str, str]) -> Script[None]:
    if lock is not None:
        yield Statement(lock)
    yield Statement(
        "CREATE TABLE IF NOT EXISTS botkit_migrations"
        " (version INTEGER PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
    )
    row = yield from first("SELECT COALESCE(MAX(version), 0) FROM botkit_migrations")
    version = int(row[0]) if row else 0
    newest = max(migrations())
    if version > newest:
        raise StoreError(
            f"the database is of version {version}, and this botkit knows versions up to {newest}:"
            " it was used by a newer botkit; install that one, or choose another database with"
            " BOTKIT_DATABASE_URL"
        )
    for number in range(version + 1, newest + 1):
        for sql in _statements(migrations()[number].format_map(dict(types))):
            yield Statement(sql)
        yield from execute(
            "INSERT INTO botkit_migrations (version, applied_at) VALUES (:version, :now)",
            version=number,
        )


def _statements(text: str) -> list[str]:
    """The statements of a migration: each ends with a semicolon at the end of a line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    parts = "\n".join(lines).split(";\n")
    return [part.strip().rstrip(";") for part in parts if part.strip()]
