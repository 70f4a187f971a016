"""Programs that run beside a test."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 30.0


@dataclass
class Program:
    """A running program, and what it has printed."""

    process: Process
    lines: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self) -> list[str]:
        """The words after ``ready``, once it has printed that."""
        async with asyncio.timeout(SECONDS):
            while True:
                for line in self.lines:
                    if line.startswith("ready"):
                        return line.split()[1:]
                self.news.clear()
                await self.news.wait()

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())
            self.news.set()


@contextlib.asynccontextmanager
async def running(*command: str | Path) -> AsyncIterator[Program]:
    """Run a program while the block runs; what it printed is told when the block fails."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env={**os.environ}
    )
    program = Program(process)
    reading = asyncio.create_task(program.read())
    try:
        yield program
    except BaseException as error:
        error.add_note("\n".join(["the program said:", *program.lines[-40:]]))
        raise
    finally:
        await _end(process)
        await reading


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()
