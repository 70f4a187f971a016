"""The shortest way to the end of a reply, found greedily.

A grammar does not say how many tokens its shortest end is away. A walk does: at each step take what
must come, else what closes. For JSON this finds an end in a few tokens and nearly the shortest one;
for other grammars it may find none, and then there is no closing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from botkit_models.structured.vocabulary import Vocabulary, set_bits, unpacked

if TYPE_CHECKING:
    import llguidance

_ENDS = ["".join(ends).encode() for n in (4, 3, 2, 1) for ends in itertools.product("}]", repeat=n)]
_FEW = 8  # tokens to follow to the end one by one
_SOME = 64  # tokens to try the known ways with

# Out of a string: its quote first. Anything else there would be more of the string.
_FROM_TEXT = [*(b'"' + ends for ends in _ENDS), b'"']
# Elsewhere: close; else go on to what is required, with the shortest values first.
_FROM_STRUCTURE = [
    *_ENDS,
    *(b', "', b",", b'""', b'"', b"0", b"null", b"true", b"false", b"n", b"t", b"f"),
    *(b"%d" % digit for digit in range(1, 10)),
    *(b"[]", b"{}", b"[", b"{", b"-", b"."),
]


class Closer:
    """Walks to the end of replies over one vocabulary; safe to share between threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._from_text = np.array(vocabulary.ids_of(_FROM_TEXT), np.int64)
        self._from_structure = np.array(vocabulary.ids_of(_FROM_STRUCTURE), np.int64)
        self._quote = vocabulary.ids_of([b'"'])

    def is_text(self, mask: NDArray[np.int32]) -> bool:
        """Whether a mask ``[W]`` int32 allows so much that free text is being written."""
        return int(np.bitwise_count(mask.view(np.uint32)).sum()) * 4 > self._vocabulary.size

    def way(self, matcher: llguidance.LLMatcher, most: int) -> tuple[int, ...] | None:
        """Tokens that lead from here to where the reply may end; None when more than ``most`` are
        needed, or the walk goes astray. The matcher stays where it is.

        Raises:
            RuntimeError: The grammar is too complex to follow on this way.
        """
        walker = matcher.deep_copy()
        path: list[int] = []
        while not walker.is_accepting():
            step = walker.compute_ff_tokens() or [self._choice(walker)]
            path.extend(step)
            if len(path) > most:
                return None
            if not walker.consume_tokens(step):
                raise RuntimeError(walker.get_error())
        return tuple(path)

    def narrow(
        self,
        mask: NDArray[np.int32],
        matcher: llguidance.LLMatcher,
        way: tuple[int, ...],
        left: int,
    ) -> None:
        """Take from a mask ``[W]`` int32 what may keep the reply from ending in ``left`` tokens.

        ``way`` ends it from here and stays allowed. Beside it stays what certainly leaves enough:
        more text inside a string, and tokens after which a short way to the end is known.
        """
        text = self.is_text(mask)
        if text and not way:
            return  # free text may stop anywhere
        if not way:
            kept = list(self._vocabulary.eos_ids)
        elif left <= len(way):
            kept = [way[0]]
        elif text:
            kept = [way[0]]
            if left > len(way) + 1:
                mask &= self._vocabulary.text_only
                set_bits(mask, kept)
                return
        else:
            tried = self._candidates(mask)
            kept = [way[0], *(id for id in tried if self._fits(matcher, id, way, left, len(tried)))]
        mask[:] = 0
        set_bits(mask, kept)

    def ends(self, matcher: llguidance.LLMatcher, way: Sequence[int]) -> bool:
        """Whether these tokens lead from here to where the reply may end."""
        ended = [*way, self._vocabulary.eos_ids[0]]
        return matcher.validate_tokens(ended) == len(ended)

    def _candidates(self, mask: NDArray[np.int32]) -> list[int]:
        """All that is allowed, or of much the tokens that this module knows."""
        allowed = np.flatnonzero(unpacked(mask))
        if allowed.size > _SOME:
            known = self._from_structure
            allowed = known[((mask[known >> 5] >> (known & 31)) & 1).astype(bool)]
        return [int(id) for id in allowed if id not in self._vocabulary.eos_ids]

    def _fits(
        self, matcher: llguidance.LLMatcher, id: int, way: tuple[int, ...], left: int, tried: int
    ) -> bool:
        """Whether the reply certainly can end in ``left`` tokens of which ``id`` is the first."""
        known = ([id, *way], [id, *way[1:]], [id, *self._quote, *way[1:]])
        if any(len(path) <= left and self.ends(matcher, path) for path in known):
            return True
        if tried > _FEW or not matcher.consume_token(id):
            return False
        try:
            return self.way(matcher, left - 1) is not None
        except RuntimeError:
            return False
        finally:
            matcher.rollback(1)

    def _choice(self, walker: llguidance.LLMatcher) -> int:
        mask = np.zeros(self._vocabulary.words, np.int32)
        walker.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
        if walker.is_error():
            raise RuntimeError(walker.get_error())
        wanted = self._from_text if self.is_text(mask) else self._from_structure
        allowed = (mask[wanted >> 5] >> (wanted & 31)) & 1
        if allowed.any():
            return int(wanted[int(allowed.argmax())])
        word = int(np.flatnonzero(mask)[0])  # the lowest id that may come
        bits = int(mask[word]) & 0xFFFFFFFF
        return 32 * word + (bits & -bits).bit_length() - 1
