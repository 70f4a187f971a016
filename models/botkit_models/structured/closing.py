"""The shortest way to the end of a reply, found greedily.

A grammar does not say how many tokens its shortest end is away. A walk does: at each step take what
must come, else what closes. For JSON this finds an end in a few tokens and nearly the shortest one;
for other grammars it may find none, and then there is no closing.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from botkit_models.structured.vocabulary import Vocabulary, count_bits, set_bits, unpacked

if TYPE_CHECKING:
    import llguidance

_WANDERING = 6  # choices that led nowhere before others are tried
_LOST = 256  # and before there is no hope
_QUOTES = 64  # in a row after which text still goes on: no string, and only its marker ends it
_FEW = 8  # tokens to follow to the end one by one
_SOME = 64  # tokens to try the known ways with

_ENDS = ["".join(ends).encode() for n in (4, 3, 2, 1) for ends in itertools.product("}]", repeat=n)]
_ON = [b', "', b","]  # to what must still come
# Out of a string: its quote first. Anything else there would be more of the string.
_FROM_TEXT = [*(b'"' + ends for ends in _ENDS), b'"']
# Elsewhere: close; else go on to what is required, with the shortest values first.
_FROM_STRUCTURE = [
    *_ENDS,
    *_ON,
    *(b'""', b'"', b"0", b"null", b"true", b"false", b"n", b"t", b"f"),
    *(b"%d" % digit for digit in range(1, 10)),
    *(b"[]", b"{}", b"[", b"{", b"-", b"."),
]


class _Choice(NamedTuple):
    """A token of a way, whether it is to close something, and whether text was written there."""

    id: int
    closes: bool
    text: bool


class Closer:
    """Walks to the end of replies over one vocabulary; safe to share between threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._from_text = np.array(vocabulary.ids_of(_FROM_TEXT), np.int64)
        self._ends = np.array(vocabulary.ids_of([*_ENDS, *_ON]), np.int64)
        self._from_structure = np.array(vocabulary.ids_of(_FROM_STRUCTURE), np.int64)
        self._plain = vocabulary.text_only
        self._letters = vocabulary.letters_only
        self._words = vocabulary.words_only
        self._word_count = count_bits(self._words)
        self._quote = vocabulary.ids_of([b'"'])

    def is_text(self, mask: NDArray[np.int32]) -> bool:
        """Whether a mask ``[W]`` int32 allows most words: free text is being written."""
        return 2 * count_bits(mask & self._words) > self._word_count

    def way(self, matcher: llguidance.LLMatcher, most: int) -> tuple[int, ...] | None:
        """Tokens that lead from here to where the reply may end; None when more than ``most`` are
        needed, or the walk goes astray. The matcher stays where it is.

        Raises:
            RuntimeError: The grammar is too complex to follow on this way.
        """
        walker = matcher.deep_copy()
        path: list[int] = []
        free = quotes = 0  # choices in a row that closed nothing, and that were to close a string
        while not walker.is_accepting():
            step = walker.compute_ff_tokens()
            if step:
                free = quotes = 0
            else:
                choice = self._choice(walker, path[-1] if free >= _WANDERING else None)
                step = [choice.id]
                free = 0 if choice.closes else free + 1
                quotes = quotes + 1 if choice.closes and choice.text else 0
            path.extend(step)
            if len(path) > most or free > _LOST or quotes > _QUOTES:
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
                mask &= self._plain
                set_bits(mask, kept)
                return
        else:
            tried = self._candidates(mask)
            kept = [way[0], *(id for id in tried if self._fits(matcher, id, way, left, len(tried)))]
        mask[:] = 0
        set_bits(mask, kept)

    def after(self, way: tuple[int, ...], id: int) -> list[tuple[int, ...]]:
        """Ways to try once ``id`` is written where ``way`` led to the end."""
        if not way:
            return [way]
        rest = way[1:]
        return [rest] if id == way[0] else [rest, (*self._quote, *rest), way]

    def ends(self, matcher: llguidance.LLMatcher, way: tuple[int, ...]) -> bool:
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
        for known in self.after(way, id):
            if len(known) < left and self.ends(matcher, (id, *known)):
                return True
        if tried > _FEW or not matcher.consume_token(id):
            return False
        try:
            return self.way(matcher, left - 1) is not None
        except RuntimeError:
            return False
        finally:
            matcher.rollback(1)

    def _choice(self, walker: llguidance.LLMatcher, after: int | None) -> _Choice:
        """The next token.

        Where the same few tokens lead nowhere, the allowed ids are gone through instead, beginning
        ``after`` one: digits, then letters, and so on.
        """
        mask = np.zeros(self._vocabulary.words, np.int32)
        walker.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
        if walker.is_error():
            raise RuntimeError(walker.get_error())
        text = self.is_text(mask)
        if (known := _first(mask, self._from_text if text else self._ends)) is not None:
            return _Choice(known, closes=True, text=text)
        known = _first(mask, self._from_structure) if after is None else None
        if known is None or text:
            kinds = (mask & self._letters, mask & self._plain, mask)
            ids = np.flatnonzero(unpacked(next(kind for kind in kinds if kind.any())))
            later = ids if after is None else ids[ids > after]
            known = int(later[0] if later.size else ids[0])
        return _Choice(known, closes=False, text=text)


def _first(mask: NDArray[np.int32], ids: NDArray[np.int64]) -> int | None:
    """The first of ``ids`` that a mask ``[W]`` int32 allows."""
    allowed = (mask[ids >> 5] >> (ids & 31)) & 1
    return int(ids[int(allowed.argmax())]) if allowed.any() else None
