"""Guessing a reply's next tokens, so that several can be checked in one step.

A guess never changes a reply: what is drawn depends on the seed, the position and the model alone,
and a guess counts only where the very token that it names is drawn. Sources: prompt lookup
decoding (Saxena 2023; in Hugging Face transformers as ``prompt_lookup_num_tokens``) and
speculative decoding (Leviathan et al. 2023, arXiv:2211.17192).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from botkit_models.engine.corpus import Corpus

LONGEST_MATCH = 6
SHORTEST_MATCH = 2
LONGEST_REST = 32


class Drafter:
    """Guesses for one reply, from its own text and from what other replies said.

    Args:
        corpus: What other replies said.
        most: The most tokens per guess.
    """

    def __init__(self, corpus: Corpus, most: int) -> None:
        self._corpus, self._most = corpus, most
        self._rest = 0  # how many steps to leave out
        self._losses = 0
        self.drafted = 0
        self.accepted = 0

    def draft(self, text: NDArray[np.int32], room: int) -> list[int]:
        """What may follow ``text [S]``, at most ``room`` tokens; perhaps nothing."""
        if self._rest > 0:
            self._rest -= 1
            return []
        most = min(self._most, room)
        if most < 1:
            return []
        match, following = lookup(text, most)
        # A short match is as often chance as not.
        if match > SHORTEST_MATCH:
            return following
        return self._corpus.draft(text, most) or following[:2]

    def judge(self, drafted: int, accepted: int) -> None:
        """Learn how a guess went; after bad ones, guessing rests for a while."""
        if not drafted:
            return
        self.drafted += drafted
        self.accepted += accepted
        if accepted:
            self._losses = 0
        else:
            self._losses += 1
            self._rest = min(2 ** (self._losses - 1), LONGEST_REST)


def lookup(text: NDArray[np.int32], most: int) -> tuple[int, list[int]]:
    """What followed the last time that ``text [S]`` ended as it does now.

    Returns how many tokens the two ends have in common, at most :data:`LONGEST_MATCH`, and up to
    ``most`` tokens that followed the earlier one; ``(0, [])`` where fewer than
    :data:`SHORTEST_MATCH` are.
    """
    size = len(text)
    ends = np.flatnonzero(text[: size - 1] == text[-1])
    best: NDArray[np.intp] = ends[:0]
    match = 0
    for length in range(2, LONGEST_MATCH + 1):
        ends = ends[ends >= length - 1]
        ends = ends[text[ends - length + 1] == text[size - length]] if size >= length else ends[:0]
        if not len(ends):
            break
        best, match = ends, length
    if match < SHORTEST_MATCH:
        return 0, []
    after = int(best[-1]) + 1
    following: Sequence[int] = text[after : after + most].tolist()
    return match, list(following)
