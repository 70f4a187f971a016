"""Transactions as scripts: generators that yield statements and receive rows.

A script knows SQL and no database library; a driver runs it in one transaction. The SQL is what
SQLite and PostgreSQL share, with two additions that drivers rewrite:

* ``:now`` is the time in seconds since 1970, by the database's clock where it has one;
* ``FOR UPDATE`` and ``FOR UPDATE SKIP LOCKED`` are left out where one writer works at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Row = tuple[Any, ...]
T = TypeVar("T")
CHUNK = 100
"""Rows per statement: databases bound the parameters of one statement."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with ``:name`` parameters."""

    sql: str
    params: Mapping[str, Any] = field(default_factory=dict)


Script = Generator[Statement, list[Row], T]
"""Yields statements, is sent their rows (empty for statements that return none), returns T."""


class Driver(Protocol):
    """Runs scripts against one database."""

    @property
    def types(self) -> Mapping[str, str]:
        """What migrations put for ``{id}`` and ``{bytewise}``."""
        ...

    @property
    def migration_lock(self) -> str | None:
        """A statement that lets one process migrate at a time; None where every write does."""
        ...

    @property
    def tables(self) -> str:
        """A query for the names of the tables that are there."""
        ...

    async def run(self, script: Callable[[], Script[T]], *, reads: bool = False) -> T:
        """Run a script in one transaction; all of it is kept or, when this raises, nothing.

        Args:
            script: Makes the generator; called again where a transaction is tried again.
            reads: It changes nothing: it may run beside writers.

        Raises:
            StoreError: The database cannot be reached, is full, locked, or refuses. A connection
                that broke during the commit leaves open whether it was kept; the message says so.
        """
        ...

    async def scrub(self) -> None:
        """Overwrite what was erased, where the database keeps copies that this can reach.

        Raises:
            StoreError: It could not be done now.
        """
        ...

    async def aclose(self) -> None:
        """Wait for running scripts and close every connection."""
        ...


def execute(sql: str, **params: Any) -> Script[list[Row]]:
    """One statement and its rows; for ``yield from``."""
    return (yield Statement(sql, params))


def first(sql: str, **params: Any) -> Script[Row | None]:
    """One statement and its first row, or None; for ``yield from``."""
    rows = yield Statement(sql, params)
    return rows[0] if rows else None


def in_chunks(
    head: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], tail: str, **shared: Any
) -> Script[list[Row]]:
    """Insert many rows with few statements: ``head VALUES (...), (...) tail``.

    Args:
        head: As ``INSERT INTO t (a, b)``.
        rows: The values that differ, by column name.
        columns: What stands in each row, in order: a name of ``rows``, or SQL such as ``:now``.
        tail: As ``RETURNING id``.
        shared: Values that are the same for all.
    """
    returned: list[Row] = []
    for start in range(0, len(rows), CHUNK):
        params = dict(shared)
        groups = []
        for index, row in enumerate(rows[start : start + CHUNK]):
            params |= {f"{name}_{index}": value for name, value in row.items()}
            cells = (f":{name}_{index}" if name in row else name for name in columns)
            groups.append(f"({', '.join(cells)})")
        returned += yield Statement(f"{head} VALUES {', '.join(groups)} {tail}", params)
    return returned


def any_of(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """``(:name_0, :name_1)`` for ``IN``, and its parameters."""
    params = {f"{name}_{index}": value for index, value in enumerate(values)}
    return f"({', '.join(f':{key}' for key in params)})", params
