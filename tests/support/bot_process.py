"""`botkit serve` on a simulated Telegram as a process of its own, to be killed or stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from telegram_bot import SECRET

from botkit.testing.telegram import TelegramSimulator

SUPPORT = Path(__file__).parent
FAR = 1_000_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DyingBot:
    """A `botkit serve` process that is started anew whenever it died."""

    def __init__(
        self, telegram: TelegramSimulator, database: str, home: Path, script: str = "dying_bot.py"
    ) -> None:
        self.port = free_port()
        self.died = home / f"died-{self.port}"
        self._script = str(SUPPORT / script)
        self._log = home / f"log-{self.port}"
        self._environment = {
            **os.environ,
            "BOTKIT_HOME": str(home),
            "BOTKIT_PORT": str(self.port),
            "BOTKIT_COMPLETION": "echo",
            "BOTKIT_DATABASE_URL": database,
            "BOTKIT_LEASE_SECONDS": "1",
            "BOTKIT_TURN_ATTEMPTS": "1000",
            "BOTKIT_DELIVERY_ATTEMPTS": "1000",
            "BOTKIT_LIMIT_USER": "off",
            "TELEGRAM_BOT_TOKEN": telegram.bot_token,
            "TELEGRAM_API_BASE_URL": telegram.api_base_url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "DIED_FILE": str(self.died),
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, die_at: int = FAR) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                self._script,
                "serve",
                env={**self._environment, "DIE_AT": str(die_at)},
                stdout=log,
                stderr=log,
            )

    async def ended(self, within: float) -> int | None:
        """The exit code; None when it still runs after so many seconds."""
        assert self.process is not None
        try:
            return await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            return None

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()
