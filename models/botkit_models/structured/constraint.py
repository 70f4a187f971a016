"""One reply's walk through a grammar.

**At the end of the budget.** A reply that would be cut off in the middle of its JSON is closed
instead, where that is cheap and certain: from the state it is in, a short way to the end is known
(:mod:`botkit_models.structured.closing`), and once the tokens left are hardly more than that way
has, nothing else is allowed (inside a string, its text goes on a little longer). The reply then
parses and keeps to its schema, and ``shortened`` says that its content was cut, so that its
``finish_reason`` is ``"length"`` all the same. Where no such way is known (a regular expression
with a far end, a recursive schema that went too deep, a budget smaller than the shortest reply),
the reply runs to its budget and is cut: flagged ``"length"`` too, and not closed.

Which tokens are allowed depends on the grammar, the budget and the tokens written, and on nothing
else: neither on which of them were drafts nor on time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from botkit_models.structured.refusal import exhausted

if TYPE_CHECKING:
    import llguidance

    from botkit_models.structured.grammar import Grammar

_LOOK_EVERY = 16  # tokens between looks for a way to the end, far from the budget's end
_FAR = 64
_MARGIN = 48
_LONGEST_WAY = 512


@dataclass(frozen=True)
class _Place:
    """Where a reply stands.

    Fields:
        written: How many tokens it has.
        way: Tokens that would end it from here; None when that is unknown.
        longest: Length of the longest way that this reply has known so far.
        closing: Whether the way must be taken now, or nearly so.
    """

    written: int
    way: tuple[int, ...] | None
    longest: int
    closing: bool


class GrammarConstraint:
    """A :class:`botkit_models.engine.constraint.Constraint`; made by :meth:`Grammar.constraint`.

    Fields:
        shortened: The reply was closed early to fit its budget.

    All methods raise :class:`botkit.errors.InvalidRequestError` (code ``grammar_too_complex``) when
    the grammar takes more work than its limits allow; the reply cannot go on then.
    """

    def __init__(
        self, grammar: Grammar, matcher: llguidance.LLMatcher, budget: int | None, param: str
    ) -> None:
        self._grammar, self._matcher, self._param = grammar, matcher, param
        self._vocabulary = grammar.vocabulary
        self._budget = budget if grammar.shortest is not None else None
        self._spent = 0.0  # seconds of this thread in masks
        self._place = self._look(0, None, grammar.shortest or 0)
        self.shortened = False

    def masks(self, drafts: Sequence[int]) -> NDArray[np.int32]:
        """Masks ``[1 + N, ceil(V / 32)]`` int32 of the next token and after each draft."""
        rows = np.zeros((1 + len(drafts), self._vocabulary.words), np.int32)  # N,W
        place, walked = self._place, 0
        self._fill(rows[0], place)
        try:
            for token in drafts:
                if token in self._vocabulary.eos_ids or not _allows(rows[walked], token):
                    break
                place, walked = self._step(place, token), walked + 1
                self._fill(rows[walked], place)
        finally:
            self._matcher.rollback(walked)
        return rows[: walked + 1]

    def forced(self) -> Sequence[int]:
        """Tokens that must come next, as far as they are known; perhaps none."""
        return self._matcher.compute_ff_tokens()

    def accept(self, token: int) -> None:
        """``token``, which the last mask allowed, was written."""
        if self._place.closing and not self.shortened:
            row = np.zeros(self._vocabulary.words, np.int32)
            self.shortened = self._fill(row, self._place)
        self._place = self._step(self._place, token)

    @property
    def may_end(self) -> bool:
        """Whether the reply is whole as it stands."""
        return self._matcher.is_accepting()

    def _step(self, place: _Place, token: int) -> _Place:
        """Go on by a token; the place after it."""
        if not self._matcher.consume_token(token):
            raise exhausted(self._matcher.get_error(), self._param)
        way = place.way
        if way and way[0] == token:
            way = way[1:]
        return self._look(place.written + 1, way, place.longest)

    def _look(self, written: int, known: tuple[int, ...] | None, longest: int) -> _Place:
        """See how far the end is, now that ``written`` tokens are; ``known`` may be a way there."""
        if self._budget is None:
            return _Place(written, None, longest, closing=False)
        left = self._budget - written
        if left > 2 * longest + _FAR and written % _LOOK_EVERY:
            return _Place(written, None, longest, closing=False)
        way = known
        if known is None or not self._grammar.closer.ends(self._matcher, known):
            way = self._find(left)
        if way is None:
            return _Place(written, None, longest, closing=False)
        longest = max(longest, len(way))
        # What is opened next may need about as much as what was opened before.
        closing = left <= len(way) + min(longest, _MARGIN) + 2
        return _Place(written, way, longest, closing)

    def _find(self, left: int) -> tuple[int, ...] | None:
        try:
            return self._grammar.closer.way(self._matcher, min(left, _LONGEST_WAY))
        except RuntimeError:
            return None

    def _fill(self, row: NDArray[np.int32], place: _Place) -> bool:
        """Write the mask ``[W]`` int32 of a place; True when closing took something away."""
        began = time.thread_time()
        self._matcher.unsafe_compute_mask_ptr(row.ctypes.data, row.nbytes)
        self._spent += time.thread_time() - began
        if self._matcher.is_error():
            raise exhausted(self._matcher.get_error(), self._param)
        limits = self._grammar.limits
        if self._spent > limits.mask_seconds + limits.mask_share * place.written:
            raise exhausted(f"{self._spent:.0f} s of work for this reply", self._param)
        if not place.closing or place.way is None or self._budget is None:
            return False
        whole = row.copy()
        left = self._budget - place.written
        self._grammar.closer.narrow(row, self._matcher, place.way, left)
        return not np.array_equal(row, whole)


def _allows(row: NDArray[np.int32], token: int) -> bool:
    return 0 <= token < 32 * row.size and bool((int(row[token >> 5]) >> (token & 31)) & 1)
