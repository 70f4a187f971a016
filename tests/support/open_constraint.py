"""A grammar for tests: every reply follows one pattern of allowed tokens, over and over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Pattern:
    """Allows, at each step, one of the sets of tokens in turn; see ``engine/constraint.py``.

    A set of one token is forced.
    """

    def __init__(self, sets: Sequence[set[int]], vocab_size: int) -> None:
        self._sets, self._width = list(sets), -(-vocab_size // 32)
        self.accepted: list[int] = []

    def masks(self, drafts: Sequence[int]) -> NDArray[np.int32]:
        masks = [self._mask(len(self.accepted))]
        for number, draft in enumerate(drafts):
            if draft not in self._at(len(self.accepted) + number):
                break
            masks.append(self._mask(len(self.accepted) + number + 1))
        return np.stack(masks)

    def forced(self) -> Sequence[int]:
        found: list[int] = []
        while len(allowed := self._at(len(self.accepted) + len(found))) == 1 and len(found) < 3:
            found += allowed
        return found

    def accept(self, token: int) -> None:
        assert token in self._at(len(self.accepted))
        self.accepted.append(token)

    def _at(self, step: int) -> set[int]:
        return self._sets[step % len(self._sets)]

    def _mask(self, step: int) -> NDArray[np.int32]:
        words = np.zeros(self._width, np.uint32)
        for token in self._at(step):
            words[token // 32] |= np.uint32(1 << (token % 32))
        return words.view(np.int32)
