"""SQLite: the standard library's ``sqlite3``, one thread that writes, one that reads.

A commit with ``synchronous=FULL`` waits for the disk. Callers that arrive while one is under way
share the next: each script runs under a savepoint of its own, so that one that fails takes
nothing of the others with it, and one COMMIT keeps them all.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from botkit.errors import StoreError
from botkit.store.statement import Row, Script

T = TypeVar("T")
BUSY_SECONDS = 10.0
GROUP = 64
MEMORY = ":memory:"


class _Job:
    """A script to run, and who waits for it; without a script, what was erased is overwritten."""

    __slots__ = ("error", "future", "loop", "result", "script")

    def __init__(self, script: Callable[[], Script[Any]] | None) -> None:
        self.script = script
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell the caller, in its loop's thread."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SQLiteDriver:
    """Runs scripts on one SQLite database.

    Args:
        path: The file, made when missing (with its folder, readable by its owner only), or
            ``:memory:``.
        clock: Seconds since 1970.

    Raises:
        StoreError: The file cannot be opened.
    """

    types: Mapping[str, str] = {"id": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytewise": "TEXT"}
    migration_lock: str | None = None
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self._writer = _Connection(path, clock)
        self._reader = self._writer if path == MEMORY else _Connection(path, clock, reads=True)

    async def run(self, script: Callable[[], Script[T]], *, reads: bool = False) -> T:
        """Run a script in one transaction (see :class:`~botkit.store.statement.Driver`)."""
        result: T = await (self._reader if reads else self._writer).run(script)
        return result

    async def scrub(self) -> None:
        """Empty the write-ahead log: the file itself is overwritten where rows are deleted, but
        the log keeps pages as they were."""
        await self._writer.scrub()

    async def aclose(self) -> None:
        """Wait for running scripts and close both connections."""
        await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self._writer.close)


class _Connection:
    """A connection and the thread that alone uses it.

    A database in memory never waits for a disk: there the caller's thread runs the script.
    """

    def __init__(self, path: str, clock: Callable[[], float], *, reads: bool = False) -> None:
        self._clock = clock
        self._at_once = path == MEMORY
        self._reads = reads
        self._sql: dict[str, str] = {}
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        try:
            self._database = _connect(path, reads=reads)
        except (sqlite3.Error, OSError) as error:
            raise explain(error) from None
        self._thread = threading.Thread(target=self._work, name="botkit-sqlite", daemon=True)
        if not self._at_once:
            self._thread.start()

    async def scrub(self) -> None:
        if not self._at_once:
            await self._submit(_Job(None))

    async def run(self, script: Callable[[], Script[T]]) -> T:
        result: T = await self._submit(_Job(script))
        return result

    async def _submit(self, job: _Job) -> Any:
        with self._lock:
            if self._closed:
                raise StoreError("the database is closed")
            if self._at_once:
                self._run_alone(job)
                job.settle()
            else:
                self._jobs.put(job)
        return await job.future

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._at_once:
                self._database.close()
                return
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            last = False
            while len(group) < GROUP and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                group.append(following)
            self._run_group([job for job in group if not job.future.cancelled()])
            _settle(group)
            if last:
                break
        self._database.close()

    def _run_group(self, group: list[_Job]) -> None:
        """Run jobs in one transaction; when that as a whole fails, each in its own."""
        scripts = [job for job in group if job.script is not None]
        if len(scripts) == 1:
            self._run_alone(scripts[0])
        elif scripts and not self._run_together(scripts):
            for job in scripts:
                self._run_alone(job)
        for job in group:
            if job.script is None:
                self._scrub(job)

    def _scrub(self, job: _Job) -> None:
        """Wait for readers of other connections as for a lock; then the log is cut to nothing."""
        deadline = time.monotonic() + BUSY_SECONDS
        try:
            while self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise sqlite3.OperationalError("the write-ahead log is being read")
                time.sleep(0.01)
        except sqlite3.Error as error:
            job.error = explain(error)

    def _run_alone(self, job: _Job) -> None:
        job.error = None
        assert job.script is not None
        try:
            self._begin()
            job.result = self._drive(job.script())
            self._database.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            job.error = explain(error)

    def _run_together(self, group: list[_Job]) -> bool:
        """Whether the transaction was kept; SQLite itself ends one when the disk is full."""
        try:
            self._begin()
            for job in group:
                self._run_saved(job)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            return False
        return True

    def _run_saved(self, job: _Job) -> None:
        self._database.execute("SAVEPOINT script")
        assert job.script is not None
        try:
            job.result = self._drive(job.script())
        except BaseException as error:
            if not self._database.in_transaction:
                raise sqlite3.OperationalError("the transaction ended") from error
            self._database.execute("ROLLBACK TO script")
            job.error = explain(error)
        self._database.execute("RELEASE script")

    def _begin(self) -> None:
        self._database.execute("BEGIN" if self._reads else "BEGIN IMMEDIATE")

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _drive(self, script: Script[T]) -> T:
        now = self._clock()
        execute = self._database.execute
        rows: list[Row] | None = None
        try:
            while True:
                statement = next(script) if rows is None else script.send(rows)
                sql = self._sql.get(statement.sql) or self._translate(statement.sql)
                rows = execute(sql, {**statement.params, "now": now}).fetchall()
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            script.close()

    def _translate(self, sql: str) -> str:
        """Locks of rows are left out: one transaction writes at a time."""
        self._sql[sql] = sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", "")
        return self._sql[sql]


def _settle(group: list[_Job]) -> None:
    """Wake the callers; a loop that was closed has nobody left to hear it."""
    for job in group:
        with suppress(RuntimeError):
            job.loop.call_soon_threadsafe(job.settle)


def _connect(path: str, *, reads: bool) -> sqlite3.Connection:
    if path != MEMORY:
        _create(Path(path))
    database = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        _use_wal(database)
        database.execute("PRAGMA synchronous=FULL")
        database.execute("PRAGMA foreign_keys=ON")
        database.execute("PRAGMA secure_delete=ON")
        if reads:
            database.execute("PRAGMA query_only=ON")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _create(path: Path) -> None:
    """People's messages are for the file's owner alone; SQLite's side files take its mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _use_wal(database: sqlite3.Connection) -> None:
    """The switch to WAL does not wait for another process that switches too."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def explain(error: BaseException) -> BaseException:
    """The StoreError for what SQLite says; SQLite's own messages hold names, never values."""
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        known = next((text for code, text in _MEANINGS.items() if name.startswith(code)), None)
        return StoreError(f"{known or f'the database refused: {error}'} ({name})")
    if isinstance(error, OSError):
        return StoreError(f"the database cannot be opened: {error.strerror or error}")
    if isinstance(error, UnicodeEncodeError):
        return StoreError("the database takes no text with lone surrogates")
    return error


_MEANINGS = {
    "SQLITE_FULL": "the disk is full, or the database has reached its largest size",
    "SQLITE_BUSY": "the database is locked by another process",
    "SQLITE_LOCKED": "the database is locked",
    "SQLITE_READONLY": "the database is read-only",
    "SQLITE_CANTOPEN": "the database cannot be opened",
    "SQLITE_CORRUPT": "the database is damaged",
    "SQLITE_NOTADB": "the file is no SQLite database",
    "SQLITE_IOERR": "the disk cannot be read or written",
    "SQLITE_PERM": "the database may not be opened",
}
