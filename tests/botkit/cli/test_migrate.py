"""`botkit migrate`, and what `botkit doctor` says about the database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import psycopg
import pytest

from botkit.store import database_version, migrate
from botkit.store.migrations import migrations

NEWEST = max(migrations())
ALL = "".join(f"applied {migrations()[number][0]}\n" for number in sorted(migrations()))
SECRET = "do-not-show-me"
NOWHERE = f"postgresql://bob:{SECRET}@127.0.0.1:1/bot"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    return str(request.getfixturevalue("postgres").database())


def make_newer(url: str) -> None:
    sql = "INSERT INTO botkit_migrations (version, applied_at) VALUES (9999, 0)"
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            database.execute(sql)
        database.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute(sql.encode())


def database_check(botkit_command, url: str) -> dict[str, str]:
    done = botkit_command.run("doctor", "--json", BOTKIT_DATABASE_URL=url)
    assert SECRET.encode() not in done.stdout + done.stderr
    checks = json.loads(done.stdout)["checks"]
    return next(check for check in checks if check["name"] == "Database")


def test_it_says_what_it_applied_and_is_done_once(botkit_command, url: str) -> None:
    done = botkit_command.run("migrate", BOTKIT_DATABASE_URL=url)
    first = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert first.startswith(ALL)
    assert first.endswith(f"is now of version {NEWEST}, the newest that botkit knows\n")
    assert asyncio.run(database_version(url)) == NEWEST

    again = botkit_command.run("migrate", BOTKIT_DATABASE_URL=url).stdout.decode()
    assert again.count("\n") == 1
    assert again.endswith(f"was already of version {NEWEST}, the newest that botkit knows\n")


def test_two_at_a_time_apply_everything_once(botkit_command, url: str) -> None:
    running = [botkit_command.start("migrate", BOTKIT_DATABASE_URL=url) for _ in range(3)]
    said = [process.communicate(timeout=30) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert sum(out.count("applied ") for out, _ in said) == len(migrations())


def test_a_newer_database_is_refused(botkit_command, url: str) -> None:
    asyncio.run(migrate(url))
    make_newer(url)
    done = botkit_command.run("migrate", BOTKIT_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"botkit: the database is of version 9999, and this botkit knows")
    assert done.stderr.count(b"\n") == 1
    check = database_check(botkit_command, url)
    assert check["status"] == "fail"
    assert "newer botkit (9999)" in check["found"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (NOWHERE, "PostgreSQL cannot be reached (PoolTimeout): connection failed: "),
        ("mysql://bob:do-not-show-me@host/bot", "BOTKIT_DATABASE_URL"),
        ("sqlite:////proc/nowhere/bot.db", "the database cannot be opened"),
        ("sqlite:////etc/hosts", "the file is no SQLite database"),
    ],
)
@pytest.mark.parametrize("command", [("migrate",), ("conversations", "list")], ids=" ".join)
def test_a_database_that_cannot_be_opened_is_one_line(
    botkit_command, command: tuple[str, ...], given: str, reason: str
) -> None:
    done = botkit_command.run(*command, BOTKIT_DATABASE_URL=given)
    errors = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert errors.startswith(f"botkit: {reason}")
    assert errors.count("\n") == 1
    assert SECRET not in errors


def test_the_password_is_not_printed(botkit_command, postgres) -> None:
    plain = postgres.database()
    mark = "&" if "?" in plain else "?"
    done = botkit_command.run("migrate", BOTKIT_DATABASE_URL=f"{plain}{mark}password={SECRET}")
    assert done.returncode == 0, done.stderr
    assert SECRET.encode() not in done.stdout


def test_doctor_follows_a_database(botkit_command, url: str) -> None:
    before = database_check(botkit_command, url)
    if url.startswith("sqlite"):
        assert (before["status"], before["advice"]) == ("ok", "")
        assert before["found"].endswith("made at the first start")
        assert not Path(url.removeprefix("sqlite:///")).exists()
    else:
        assert (before["status"], "botkit migrate" in before["advice"]) == ("warn", True)
        assert asyncio.run(database_version(url)) == 0
    asyncio.run(migrate(url))
    after = database_check(botkit_command, url)
    assert after["status"] == "ok"
    assert after["found"].endswith(f", version {NEWEST}")


@pytest.mark.parametrize(
    ("given", "status", "found"),
    [
        (NOWHERE, "fail", "cannot be reached"),
        (f"postgresql://bob:a@{SECRET}@127.0.0.1:1/bot", "fail", "cannot be reached"),
        (f"postgresql://127.0.0.1:1/bot?password={SECRET}", "fail", "cannot be reached"),
        ("sqlite:////etc/hosts", "fail", "no SQLite database"),
        ("sqlite:////etc/hosts/bot.db", "fail", "/etc/hosts cannot be written"),
        ("sqlite:///:memory:", "warn", "in memory"),
    ],
)
def test_doctor_says_what_is_wrong_with_a_database(
    botkit_command, given: str, status: str, found: str
) -> None:
    check = database_check(botkit_command, given)
    assert check["status"] == status
    assert found in check["found"]
    assert "BOTKIT_DATABASE_URL" in check["advice"]
