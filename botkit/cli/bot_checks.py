"""What ``botkit doctor`` says about the bot: its platforms and its database."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from botkit import plugins
from botkit.errors import BotkitError, MissingExtraError, SettingsError
from botkit.metrics import Metrics
from botkit.plugins import Check
from botkit.redis_link import RedisLink
from botkit.settings import Settings
from botkit.variables import Variable, mask_password

CHOOSE = "set BOTKIT_DATABASE_URL to one that can be: sqlite:////folder/file.db or postgresql://..."


def bot_checks(settings: Settings) -> list[Check]:
    """A finding for every installed platform, one for the database, and one for Redis.

    A platform that brings a check of its own is left to that.
    """
    own = plugins.names(plugins.CHECKS)
    names = [name for name in plugins.names(plugins.ADAPTERS) if name not in own]
    platforms = [_platform(name, settings) for name in names]
    return [*platforms, _database(settings), _redis(settings.redis_url)]


def _platform(name: str, settings: Settings) -> Check:
    """Whether a platform is set up, half set up, or not at all. Nobody is called."""
    title = name.capitalize()
    variables = _variables(name)
    given = [variable.in_use for variable in variables if variable.value_set]
    try:
        adapter = plugins.load(plugins.ADAPTERS, name)(settings)
    except MissingExtraError as error:
        return Check(title, "fail", f"the package {error.package!r} is missing", str(error))
    except SettingsError as error:
        return Check(title, "fail", f"not usable with {', '.join(given)} alone", str(error))
    if adapter is not None:
        return Check(title, "ok", f"set up with {', '.join(given)}")
    if given:
        lacks = next((each.name for each in variables if not each.value_set), "what is missing")
        found = f"not set up, although {', '.join(given)} is set"
        return Check(title, "warn", found, f"set {lacks} too, or unset {', '.join(given)}")
    return Check(title, "ok", "not set up")


def _variables(platform: str) -> list[Variable]:
    """A platform's own variables, those that have no default."""
    prefix = f"{platform.upper()}_"
    return [
        each for each in Settings.describe() if each.name.startswith(prefix) and not each.default
    ]


def _database(settings: Settings) -> Check:
    url = settings.database
    shown = mask_password(url)
    file = _file(url)
    if file == Path(":memory:"):
        advice = "set BOTKIT_DATABASE_URL, so that conversations outlive a restart"
        return Check("Database", "warn", "in memory", advice)
    if file is not None and not file.exists():
        folder = next(each for each in file.absolute().parents if each.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            return Check("Database", "fail", f"{shown}: {folder} cannot be written", CHOOSE)
        return Check("Database", "ok", f"{shown}, made at the first start")
    return _opened(url, shown)


def _opened(url: str, shown: str) -> Check:
    """What a database that is there says of itself; it is not changed."""
    from botkit.cli.database import run_on_database
    from botkit.store import database_version
    from botkit.store.migrations import migrations

    newest = max(migrations())
    try:
        version = run_on_database(database_version(url))
    except BotkitError as error:
        return Check("Database", "fail", f"{shown}: {error}", CHOOSE)
    if version > newest:
        advice = "install the botkit that used it last, or choose another: BOTKIT_DATABASE_URL"
        return Check("Database", "fail", f"{shown} is of a newer botkit ({version})", advice)
    if version < newest:
        found = f"{shown} is of version {version}, not {newest}"
        return Check("Database", "warn", found, "run botkit migrate; botkit serve does so too")
    return Check("Database", "ok", f"{shown}, version {version}")


def _redis(url: str | None) -> Check:
    """Whether Redis answers; the bot runs without it."""
    if url is None:
        return Check("Redis", "ok", "not set up: each process has its own caches and limits")
    try:
        answers = asyncio.run(_answers(url))
    except BotkitError as error:
        return Check("Redis", "fail", "it cannot be used", str(error))
    shown = mask_password(url)
    if not answers:
        advice = "start it, or set BOTKIT_REDIS_URL to one that can be reached from here"
        return Check("Redis", "warn", f"{shown} does not answer; the bot runs without it", advice)
    return Check("Redis", "ok", f"{shown} answers")


async def _answers(url: str) -> bool:
    async def ping(redis: Any) -> bool:
        return bool(await redis.ping())

    link = RedisLink(url, Metrics())
    try:
        return await link.call(ping, False)
    finally:
        await link.aclose()


def _file(url: str) -> Path | None:
    """The file of an SQLite database."""
    parts = urlsplit(url)
    return Path(unquote(parts.path[1:])) if parts.scheme == "sqlite" else None
