"""What the server takes from clients, in size, time and number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from botkit.settings import Settings


@dataclass(frozen=True)
class ServerLimits:
    """Bounds on what a client may send and how slowly. Times in seconds, sizes in bytes.

    Fields:
        body_bytes: A request body, after decompression; a larger one gets 413.
        line_bytes: The request line, and each header line; a longer one gets 431.
        headers: How many header lines a request may have.
        head_seconds: From connecting, or from the first byte of a further request, to the end of
            its headers; then the connection is closed with 408.
        body_seconds: From the end of the headers to the end of the body; then 408.
        write_seconds: For a client that streams a reply to take one more piece of it.
        idle_seconds: For a kept-alive connection between two requests. Load balancers keep theirs
            for 60; ours is longer, so that they never write into a closing one.
        connections: Open at the same time; one more gets 503.
    """

    body_bytes: int = 4 << 20
    line_bytes: int = 8190
    headers: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    idle_seconds: float = 75.0
    connections: int = 512

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The bounds that the settings name."""
        return cls(
            body_bytes=settings.max_body_bytes,
            head_seconds=min(cls.head_seconds, settings.read_timeout),
            body_seconds=settings.read_timeout,
            connections=settings.max_connections,
        )
