"""Clients of every kind, good and bad, over raw sockets against one server."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ANSWERED = (200, 408, 429, 504)
"""408: a machine that is busy with other things may read a request later than it is patient."""
PATIENCE = 300.0
"""Seconds: a client that waits longer has found a request that hangs. A program that is compiled
meanwhile holds everybody up, on a busy machine for a minute or two."""


class GoneError(Exception):
    """This client has left, as it meant to."""


class Connection:
    """One request on one connection.

    Args:
        reader, writer: Its two ways.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, path: str, body: dict[str, Any], **headers: str) -> None:
        """A whole request."""
        data = json.dumps(body).encode()
        lines = [f"POST /v1/{path} HTTP/1.1", "Host: storm", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(data)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the answer; its headers are read."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == 429:
            (wait,) = [line for line in head.lower().split(b"\r\n") if b"retry-after" in line]
            assert int(wait.split(b":")[1]) >= 1
        return status

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return await self.reader.read()

    def reset(self) -> None:
        """Leave without a word: what is under way is thrown away."""
        linger = struct.pack("ii", 1, 0)
        found = self.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A fresh connection."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


class Storm:
    """Requests of many kinds at the same time.

    Args:
        url: The server.
        model: What it serves.
        seed: Of everything that is drawn.
    """

    def __init__(self, url: str, model: str, seed: int) -> None:
        self._url, self._model, self._rng = url, model, random.Random(seed)
        self.outcomes: Counter[str] = Counter()

    async def blow(self, clients: int, *, requests: int = 0, seconds: float = 0.0) -> None:
        """``clients`` at a time, each of them ``requests`` times, or for ``seconds``."""
        ends = time.monotonic() + seconds

        async def client() -> None:
            done = 0
            while done < requests or time.monotonic() < ends:
                async with asyncio.timeout(PATIENCE):
                    await self._one()
                done += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(client())

    async def _one(self) -> None:
        kinds = [self._whole, self._streamed, self._leaves, self._impatient, self._vanishes]
        kind = self._rng.choice([*kinds, self._never_finishes, self._embeds, self._gives_up])
        async with connected(self._url) as connection:
            try:
                outcome = await kind(connection)
            except GoneError:
                outcome = "left"
        self.outcomes[f"{kind.__name__.strip('_')}: {outcome}"] += 1

    def _chat(self, **fields: Any) -> dict[str, Any]:
        words = " ".join(self._rng.choice(["rain", "sun", "dog", "the"]) for _ in range(20))
        return {
            "model": self._model,
            "messages": [{"role": "user", "content": words[: self._rng.randint(1, 80)]}],
            "max_tokens": self._rng.choice([1, 4, 16, 64]),
            "seed": self._rng.randint(0, 5),
            "user": self._rng.choice(["ada", "bob", "eve"]),
            # No more batch work than has its share of the slots, or it would wait for ever longer.
            "service_tier": self._rng.choices(["auto", "flex", "priority"], [5, 1, 5])[0],
            "n": self._rng.choice([1, 1, 1, 2]),
            **fields,
        }

    async def _whole(self, connection: Connection) -> int:
        await connection.send("chat/completions", self._chat())
        status = await connection.status()
        body = json.loads(await connection.rest())
        assert status in ANSWERED, body
        assert "choices" in body or "error" in body
        return status

    async def _streamed(self, connection: Connection) -> int:
        await connection.send("chat/completions", self._chat(stream=True))
        status, text = await connection.status(), await connection.rest()
        assert status in ANSWERED, text
        assert status != 200 or b"[DONE]" in text
        return status

    async def _leaves(self, connection: Connection) -> int:
        """In the middle of a stream: with a reset, or by closing."""
        await connection.send("chat/completions", self._chat(stream=True, max_tokens=200))
        status = await connection.status()
        for _ in range(self._rng.randint(0, 6)):
            if not await connection.reader.readline():
                return status
        if self._rng.random() < 0.5:
            connection.reset()
        raise GoneError

    async def _impatient(self, connection: Connection) -> int:
        """Says how long it waits."""
        seconds = f"{self._rng.choice([0.05, 0.3, 2.0])}"
        body = self._chat(max_tokens=100, stream=self._rng.random() < 0.5)
        await connection.send("chat/completions", body, X_Request_Timeout=seconds)
        status, text = await connection.status(), await connection.rest()
        assert status in ANSWERED, text
        return status

    async def _vanishes(self, connection: Connection) -> int:
        """As soon as the request is out."""
        await connection.send("chat/completions", self._chat(max_tokens=200))
        if self._rng.random() < 0.5:
            connection.reset()
        raise GoneError

    async def _never_finishes(self, connection: Connection) -> int:
        """Half a request."""
        connection.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: storm\r\nContent-Le")
        await connection.writer.drain()
        raise GoneError

    async def _embeds(self, connection: Connection) -> int:
        texts = [f"text {self._rng.randint(0, 500)}" for _ in range(self._rng.randint(1, 9))]
        await connection.send("embeddings", {"model": self._model, "input": texts})
        status, body = await connection.status(), json.loads(await connection.rest())
        assert status in ANSWERED, body
        assert status != 200 or len(body["data"]) == len(texts)
        return status

    async def _gives_up(self, connection: Connection) -> int:
        """A whole reply that is not waited for."""
        await connection.send("chat/completions", self._chat(max_tokens=200))
        try:
            async with asyncio.timeout(self._rng.random() * 0.3):
                return await connection.status()
        except TimeoutError:
            raise GoneError from None


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise ProcessLookupError(pid)


def open_files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
