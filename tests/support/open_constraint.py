"""A grammar for tests: every reply follows one pattern of allowed tokens, over and over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from botkit.errors import InvalidRequestError


class Pattern:
    """Allows, at each step, one of the sets of tokens in turn; see ``engine/constraint.py``.

    A set of one token is forced, and known ``foresight`` tokens ahead.
    """

    def __init__(self, sets: Sequence[set[int]], vocab_size: int, foresight: int = 3) -> None:
        self._sets, self._width = list(sets), -(-vocab_size // 32)
        self._foresight = foresight
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
        while len(found) < self._foresight:
            allowed = self._at(len(self.accepted) + len(found))
            if len(allowed) > 1:
                break
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


class Broken(Pattern):
    """A pattern that can go on no more after so many tokens; ``where`` says what fails then."""

    def __init__(
        self,
        sets: Sequence[set[int]],
        vocab_size: int,
        after: int,
        where: str,
        error: BaseException | None = None,
    ) -> None:
        super().__init__(sets, vocab_size)
        self._after, self._where = after, where
        self._error = error or InvalidRequestError("too much work", param="response_format")

    def masks(self, drafts: Sequence[int]) -> NDArray[np.int32]:
        self._fail("masks")
        return super().masks(drafts)

    def accept(self, token: int) -> None:
        self._fail("accept")
        super().accept(token)

    def _fail(self, where: str) -> None:
        if where == self._where and len(self.accepted) >= self._after:
            raise self._error
