"""Environments of other clients, built once and kept outside the tree.

They live under ``$BOTKIT_TEST_CACHE`` (default ``~/.cache/botkit-tests``), one folder per set of
requirements, so that clients of any age run beside the project without becoming part of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def cache_folder() -> Path:
    chosen = os.environ.get("BOTKIT_TEST_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "botkit-tests"


def python_with(name: str, *requirements: str) -> Path:
    """The interpreter of a virtual environment that has ``requirements``."""
    folder = _folder(name, sys.version, *requirements)
    python = folder / "bin" / "python"
    with _made_once(folder) as missing:
        if missing:
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(python), "-m", "pip", "install", "--quiet", *requirements])
    return python


def node_with(package_json: Path) -> Path:
    """A folder whose ``node_modules`` holds what ``package_json`` asks for."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    folder = _folder("node", package_json.read_text())
    with _made_once(folder) as missing:
        if missing:
            folder.mkdir(parents=True)
            shutil.copy(package_json, folder)
            _run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)])
    return folder


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Whether the folder is to be made in the block; one process at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder / "complete"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not complete.exists()
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
        yield missing
        complete.touch()


def _folder(name: str, *contents: str) -> Path:
    digest = hashlib.sha256("\n".join(contents).encode()).hexdigest()[:12]
    return cache_folder() / f"{name}-{digest}"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
