"""What this process remembers: the replies that were asked for last, in so many bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

OVERHEAD = 512
"""Bytes that an entry takes beside its reply: its key, its place, its people."""


@dataclass(frozen=True, slots=True)
class _Entry:
    kept: bytes
    people: tuple[str, ...]
    expires: float

    @property
    def size(self) -> int:
        return len(self.kept) + OVERHEAD


class MemoryReplies:
    """A bounded store of bytes by key; what was not asked for longest goes first.

    Args:
        limit: Bytes that all entries may have together.
        clock: Seconds that only grow.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that all entries have now."""
        return self._size

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.expires > self._clock()

    def get(self, key: str) -> bytes | None:
        """What is kept under ``key``, while it lives."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.kept

    def put(self, key: str, kept: bytes, people: tuple[str, ...], seconds: float) -> None:
        """Keep ``kept`` for so long; one that is larger than everything may be is not kept."""
        self.drop(key)
        entry = _Entry(kept, people, self._clock() + seconds)
        if entry.size > self._limit or seconds <= 0:
            return
        while self._size + entry.size > self._limit:
            self._size -= self._entries.popitem(last=False)[1].size
        self._entries[key] = entry
        self._size += entry.size

    def drop(self, key: str) -> None:
        """Forget one entry."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size

    def forget(self, person: str) -> None:
        """Forget everything of a person."""
        for key in [key for key, entry in self._entries.items() if person in entry.people]:
            self.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = 0
