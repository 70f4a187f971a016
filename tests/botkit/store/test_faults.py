"""Disks that fill up and servers that go away."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from stage import event, on_stage

from botkit.errors import StoreError
from botkit.store import open_store
from botkit.store.sqlite import SQLiteDriver, _Connection
from botkit.store.statement import Script, Statement

RESTARTS = int(os.environ.get("BOTKIT_SOAK_RESTARTS", "2"))
PAUSE = 5.0 if RESTARTS > 2 else 0.5
"""Seconds between two restarts."""


async def test_a_full_disk_is_told_and_keeps_nothing_by_halves(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    driver = store._driver
    assert isinstance(driver, SQLiteDriver)
    connection: _Connection = driver._writer
    (pages,) = connection._database.execute("PRAGMA page_count").fetchone()
    connection._database.execute(f"PRAGMA max_page_count = {pages + 4}")
    kept = 0

    async def fill() -> None:
        nonlocal kept
        for number in range(200):
            await store.accept([event("x" * 2000, id=f"full:{number}")])
            kept += 1

    with pytest.raises(StoreError, match="disk is full"):
        await fill()
    assert 0 < kept < 200
    assert (await store.stats()).queued == kept
    connection._database.execute("PRAGMA max_page_count = 100000")
    assert (await store.accept([event("x", id=f"full:{kept}")])).new == 1
    await store.aclose()


async def test_many_writers_share_commits_and_one_that_fails_takes_nothing_with_it(
    tmp_path: Path,
) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    good = [event(str(number)) for number in range(50)]

    def broken() -> Script[None]:
        yield Statement("SELECT nothing FROM nowhere")

    results = await asyncio.gather(
        *(store.accept([each]) for each in good),
        *(store._driver.run(broken) for _ in range(50)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, StoreError) for each in results) == 50
    assert (await store.stats()).queued == 50
    await store.aclose()


async def test_half_a_character_is_kept_as_a_replacement(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    assert (await store.accept([event("a\ud800b", address={"k": ["\udfff"]})])).new == 1
    (work,) = await store.claim("me", limit=1, platforms=("stage",))
    assert work.turn is not None
    assert work.turn.events[0].event.text == "a\ufffdb"
    await store.aclose()


async def test_a_database_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"not a database, not at all, but long enough to be read as one" * 20)
    with pytest.raises(StoreError, match="no SQLite database"):
        await open_store(f"sqlite:///{path}")


async def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    store = await open_store(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    accepting = asyncio.create_task(store.accept([event("x")]))
    await asyncio.sleep(0.2)
    assert not accepting.done()
    other.execute("COMMIT")
    assert (await accepting).new == 1
    other.close()
    await store.aclose()


async def test_a_silent_postgres_is_an_error_and_then_left(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    url = postgres.database()
    monkeypatch.setattr("botkit.store.postgres.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("botkit.store.postgres.PATIENCE_SECONDS", 0.0)
    store = await open_store(url)
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    for (pid,) in rows:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match="does not answer"):
            await store.accept([event("hello")])
        # The next one takes another connection.
        assert (await store.accept([event("hello")])).new == 1
    finally:
        for (pid,) in rows:
            os.kill(pid, signal.SIGCONT)
        await store.aclose()


async def test_a_process_that_is_frozen_in_a_transaction_locks_nobody_out(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    url = postgres.database()
    monkeypatch.setattr("botkit.store.postgres.FROZEN_SECONDS", 0.5)
    frozen, other = await open_store(url), await open_store(url)
    await frozen.accept([event("hello")])

    async def freeze_in_the_middle() -> None:
        pool = frozen._driver._pool  # type: ignore[attr-defined]
        async with pool.connection() as connection:
            await connection.execute("SELECT id FROM botkit_conversations FOR UPDATE")
            assert await other.claim("me", limit=1, platforms=("stage",)) == []
            async with asyncio.timeout(60):
                while not await other.claim("me", limit=1, platforms=("stage",)):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await connection.execute("SELECT 1")

    with pytest.raises(psycopg.Error, match="idle-in-transaction"):
        await freeze_in_the_middle()
    await frozen.accept([event("thawed", "c2")])
    for store in (frozen, other):
        await store.aclose()


@pytest.mark.timeout(120 + 10 * RESTARTS)
async def test_postgres_restarted_under_load_loses_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with on_stage(tmp_path, database=postgres.database(), lease_seconds=2) as stage:
        accepted: list[str] = []
        stop = asyncio.Event()

        async def talk(channel: str) -> None:
            number = 0
            while not stop.is_set():
                text = f"{channel}-{number}"
                given = event(text, channel, id=f"e:{text}")
                try:
                    await stage.hear(given)
                except StoreError:
                    await asyncio.sleep(0.05)  # the platform sends it again
                    continue
                accepted.append(text)
                number += 1
                await asyncio.sleep(0.02)

        talking = [asyncio.create_task(talk(f"c{at}")) for at in range(4)]
        for _ in range(RESTARTS):
            await asyncio.sleep(PAUSE)
            await asyncio.to_thread(postgres.restart)
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*talking)
        await stage.idle(within=60)
        said = [text.rpartition(": ")[2] for _, text in stage.adapter.sent]
        assert sorted(set(said)) == sorted(accepted)
        sent_again = stage.counted("botkit_uncertain_sends_total", policy="sent_again")
        assert len(said) - len(accepted) <= sent_again
