"""What ``botkit doctor`` looks at in the core: Python, variables, address, disk."""

from __future__ import annotations

import difflib
import errno
import os
import platform
import shutil
import socket
from pathlib import Path

from botkit import plugins
from botkit.plugins import Check
from botkit.settings import LOOPBACK, Settings

WARN_BELOW_BYTES = 1 << 30
# Variables that are read by tests or tools, not by Settings.
OTHER_VARIABLES = frozenset({"BOTKIT_SHARED", "BOTKIT_BENCH_LLAMA_PYTHON"})
TEST_PREFIX = "BOTKIT_TEST_"


def core_checks(settings: Settings) -> list[Check]:
    """Everything that can be said without a plugin."""
    return [
        _python(),
        _completion(settings),
        _port(settings),
        _access(settings),
        _disk(settings.home),
        *unknown_variables(),
    ]


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("Python", "ok", found)


def _completion(settings: Settings) -> Check:
    installed = plugins.names(plugins.COMPLETIONS)
    if settings.completion not in installed:
        return Check(
            "Completion",
            "fail",
            f"{settings.completion!r} is not installed",
            f"set BOTKIT_COMPLETION to one of: {', '.join(installed)}",
        )
    if settings.completion == "openai" and not settings.openai_api_key:
        return Check("Completion", "warn", "openai, without a key", "set OPENAI_API_KEY")
    return Check("Completion", "ok", settings.completion)


def _port(settings: Settings) -> Check:
    where = f"{settings.host}:{settings.port}"
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            advice = "stop what listens there (a botkit serve?), or set BOTKIT_PORT"
            return Check("Port", "warn", f"{where} is in use", advice)
        advice = "set BOTKIT_HOST and BOTKIT_PORT to an address of this machine"
        return Check("Port", "fail", f"{where}: {error.strerror or error}", advice)
    return Check("Port", "ok", f"{where} is free")


def _access(settings: Settings) -> Check:
    if settings.api_keys:
        return Check("Access", "ok", f"{len(settings.api_keys)} API keys")
    if settings.host in (LOOPBACK, "localhost", "::1"):
        return Check("Access", "ok", "this machine only")
    return Check(
        "Access",
        "warn",
        f"everyone who reaches {settings.host} may ask",
        "set BOTKIT_API_KEYS to one or more keys",
    )


def _disk(home: Path) -> Check:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        return Check("Disk", "fail", f"{existing} cannot be written", "set BOTKIT_HOME")
    free = shutil.disk_usage(existing).free
    found = f"{free / (1 << 30):.1f} GiB free for {home}"
    if free < WARN_BELOW_BYTES:
        return Check("Disk", "warn", found, "free some space, or set BOTKIT_HOME to another disk")
    return Check("Disk", "ok", found)


def unknown_variables() -> list[Check]:
    """A warning per ``BOTKIT_`` variable that nothing reads: most likely a typing error."""
    known = {name for variable in Settings.describe() for name in variable.names}
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith("BOTKIT_")
        and not name.startswith(TEST_PREFIX)
        and name not in known | OTHER_VARIABLES
    )
    return [
        Check("Variable", "warn", f"nothing reads {name}", _advice(name, known)) for name in unknown
    ]


def _advice(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "botkit doctor --variables lists them all"
