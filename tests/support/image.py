"""The image of infra/Dockerfile as a tree of files, built here without a container engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from side_environments import cache_folder

ROOT = Path(__file__).parents[2]
SECRETS = {
    "TELEGRAM_BOT_TOKEN": "9000001:CANARY-token-of-the-build-machine",
    "BOTKIT_SECRET_KEY": "CANARY-key-of-the-build-machine",
    "OPENAI_API_KEY": "sk-CANARY-of-the-build-machine",
}
"""Set while the image is built; nothing of them may be in it."""


@dataclass(frozen=True)
class Image:
    """Its files at ``root``, and how it starts."""

    root: Path
    starts: Mapping[str, Any]

    @property
    def site_packages(self) -> Path:
        return next(self.root.glob("opt/botkit/lib/python*/site-packages"))


def build(*arguments: str, clean: bool) -> Image:
    """Build it; unless ``clean``, what it needs from the package index stays between builds."""
    folder = cache_folder() / "image"
    root = folder / "root"
    for path in folder.glob("root*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    layers = [] if clean else [f"LAYERS={folder / 'layers'}"]
    command = [sys.executable, str(ROOT / "infra/scripts/tree.py"), str(root), *arguments, *layers]
    environment = {**os.environ, **SECRETS}
    subprocess.run(command, env=environment, check=True, timeout=1500)
    return Image(root, json.loads((folder / "root.json").read_text()))


@contextmanager
def running(image: Image, log: Path, **variables: str) -> Iterator[tuple[str, float]]:
    """Start it as a platform does: its own command and variables, and PORT. Where it listens, and
    when it was started (``time.perf_counter()``). In the end SIGTERM has to stop it in time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**image.starts["environment"], **variables, "PORT": str(port)}
    program, *arguments = image.starts["command"]
    found = shutil.which(program, path=environment["PATH"])
    assert found is not None
    assert Path(found).is_relative_to(image.root)
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [found, *arguments],
            cwd=image.starts["workdir"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}", began
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, log.read_text()[-2000:]
    finally:
        process.kill()
        process.wait()


def answered(url: str, within: float) -> None:
    """Return once ``url`` is answered with 200."""
    deadline = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, f"{url} was not answered"
        time.sleep(0.05)


def files(folder: Path) -> dict[str, int]:
    """Every file below, relative, with its size."""
    return {
        str(path.relative_to(folder)): path.lstat().st_size
        for path in folder.rglob("*")
        if not path.is_dir()
    }
