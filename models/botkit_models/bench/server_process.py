"""``botkit serve`` as a process that is started, watched and stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Self

from botkit.errors import BotkitError
from botkit.settings import LOOPBACK, Settings
from botkit_models.bench.chat_client import ChatClient
from botkit_models.bench.process import children_of, processor_seconds

POLL_SECONDS = 0.01
QUIET_SECONDS = 2.0
STOP_SECONDS = 20.0


class ServerProcess:
    """A server on a free port of this machine, and a client for it. Use as a context manager.

    Args:
        settings: Model and folders; keys, address and port are set here.
        patience: Seconds until a wait is given up. The first start ever compiles everything.
    """

    def __init__(self, settings: Settings, *, patience: float = 600.0) -> None:
        port = _free_port()
        self.client = ChatClient(port, patience)
        self._patience = patience
        self._environment = _environment(settings, port)
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._errors: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile()  # __exit__ closes it
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "botkit", "serve"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._errors is not None
        with self._errors, self._process as process:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    @property
    def seconds(self) -> float:
        """How long ago the process was started."""
        return time.perf_counter() - self._began

    def seconds_until(self, path: str) -> float:
        """Seconds from the start of the process until ``GET path`` is answered 200.

        Raises:
            BotkitError: The process ended, or never came so far.
        """
        while not self.client.answers(path):
            self._check_alive()
            if self.seconds > self._patience:
                raise BotkitError(f"{path} was not answered 200 within {self._patience:g} s")
            time.sleep(POLL_SECONDS)
        return self.seconds

    def wait_until_idle(self) -> None:
        """Wait until the warm-up is over: nothing compiles, the process has rested for a while.

        Raises:
            BotkitError: The process ended, or was never idle.
        """
        while self.seconds < self._patience:
            self._check_alive()
            before = processor_seconds(self.pid)
            time.sleep(QUIET_SECONDS)
            used = processor_seconds(self.pid) - before
            # The compiler's process has a low priority: it may rest long before it is through.
            if used < 0.05 * QUIET_SECONDS and not children_of(self.pid):
                return
        raise BotkitError(f"the server was still busy after {self._patience:g} s")

    def _check_alive(self) -> None:
        assert self._process is not None
        assert self._errors is not None
        if self._process.poll() is None:
            return
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1][:300] if lines else "it said nothing"
        raise BotkitError(f"botkit serve ended with {self._process.returncode}: {reason}")


def _environment(settings: Settings, port: int) -> Mapping[str, str]:
    """This environment with the settings of the benchmark over it."""
    return {
        **os.environ,
        "BOTKIT_HOME": str(settings.home),
        "BOTKIT_COMPILE_CACHE": str(settings.compile_cache),
        "BOTKIT_MODEL": settings.model,
        "BOTKIT_COMPLETION": "local",
        "BOTKIT_SLOTS": str(settings.slots),
        "BOTKIT_CONTEXT": str(settings.context),
        "BOTKIT_WARM_UP": "true",
        "BOTKIT_HOST": LOOPBACK,
        "BOTKIT_PORT": str(port),
        "BOTKIT_API_KEYS": "",
        "BOTKIT_MODEL_ALIASES": "",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
