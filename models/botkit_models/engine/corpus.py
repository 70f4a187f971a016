"""What replies usually say next: a table of trigrams, learned from replies as they are written.

A statistical language model that helps the neural one along (Brants et al. 2007, "Large Language
Models in Machine Translation", for the idea of counting at scale; here a fixed table in which
newer pairs displace older ones, as in a cache).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ORDER = 3
SIZE = 1 << 16
SURE = 2  # how often a token must have followed before it is guessed


class Corpus:
    """Which token followed each three tokens, and how often in a row. Not safe between threads."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._contexts = np.zeros((size, ORDER), np.int32) - 1
        self._next = np.zeros(size, np.int32)
        self._times = np.zeros(size, np.int16)

    def learn(self, tokens: Sequence[int]) -> None:
        """Take in a reply."""
        for end in range(ORDER, len(tokens)):
            self._count(tuple(tokens[end - ORDER : end]), tokens[end])

    def draft(self, text: NDArray[np.int32], most: int) -> list[int]:
        """Up to ``most`` tokens that surely follow ``text [S]``."""
        context = tuple(text[-ORDER:].tolist())
        found: list[int] = []
        while len(found) < most and len(context) == ORDER:
            place = self._place(context)
            known = tuple(self._contexts[place].tolist()) == context
            if not known or self._times[place] < SURE:
                break
            token = int(self._next[place])
            found.append(token)
            context = (*context[1:], token)
        return found

    def _count(self, context: tuple[int, ...], token: int) -> None:
        place = self._place(context)
        if tuple(self._contexts[place].tolist()) == context:
            if self._next[place] == token:
                self._times[place] = min(int(self._times[place]) + 1, np.iinfo(np.int16).max)
                return
            if self._times[place] > 1:
                self._times[place] -= 1
                return
        self._contexts[place], self._next[place], self._times[place] = context, token, 1

    def _place(self, context: tuple[int, ...]) -> int:
        return hash(context) % self._size
