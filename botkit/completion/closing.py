"""Ending a stream early."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any


async def close(chunks: AsyncIterable[Any]) -> None:
    """Close a stream, and with it what writes it; an iterator that cannot be closed is left."""
    aclose = getattr(chunks, "aclose", None)
    if aclose is not None:
        await aclose()
