"""One reply's walk through a grammar.

**At the end of the budget.** A reply that would be cut off in the middle of its JSON is closed
instead, where that is cheap and certain: from the state it is in, a short way to the end is known
(:mod:`botkit_models.structured.closing`), and once the tokens left are hardly more than that way
has, nothing else is allowed (inside a string, its text goes on a little longer). The reply then
parses and keeps to its schema, and ``shortened`` says that its content was cut, so that its
``finish_reason`` is ``"length"`` all the same. Where no such way is known (a regular expression
with a far end, a recursive schema that went too deep, a budget smaller than the shortest reply),
the reply runs to its budget and is cut: flagged ``"length"`` too, and not closed. Text that only a
marker ends, as a thought does, has no such way either; what comes after it has.

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

from botkit.errors import InvalidRequestError
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
        self._budget = budget
        self._spent = 0.0  # seconds of this thread in masks and in looks for the end
        way = grammar.way or ()
        self._place = self._look(matcher, 0, (way,), len(way))
        self.shortened = False

    def masks(self, drafts: Sequence[int]) -> NDArray[np.int32]:
        """Masks ``[1 + N, ceil(V / 32)]`` int32 of the next token and after each draft."""
        rows = np.zeros((1 + len(drafts), self._vocabulary.words), np.int32)  # N,W
        self._fill(self._matcher, rows[0], self._place)
        # Drafts go ahead on a copy: one that leads to where the grammar is too much work must not
        # end a reply that would never have gone there.
        walker = self._matcher.deep_copy() if drafts else self._matcher
        place, walked = self._place, 0
        for token in drafts:
            if token in self._vocabulary.eos_ids or not _allows(rows[walked], token):
                break
            try:
                place = self._step(walker, place, token)
                self._fill(walker, rows[walked + 1], place)
            except InvalidRequestError:
                break
            walked += 1
        return rows[: walked + 1]

    def forced(self) -> Sequence[int]:
        """Tokens that must come next, as far as they are known; perhaps none."""
        return self._matcher.compute_ff_tokens()

    def accept(self, token: int) -> None:
        """``token``, which the last mask allowed, was written."""
        if self._place.closing and not self.shortened:
            row = np.zeros(self._vocabulary.words, np.int32)
            self.shortened = self._fill(self._matcher, row, self._place)
        self._place = self._step(self._matcher, self._place, token)

    @property
    def may_end(self) -> bool:
        """Whether the reply is whole as it stands."""
        return self._matcher.is_accepting()

    def _step(self, matcher: llguidance.LLMatcher, place: _Place, token: int) -> _Place:
        """Go on by a token; the place after it."""
        if not matcher.consume_token(token):
            raise exhausted(matcher.get_error(), self._param)
        known = [] if place.way is None else self._grammar.closer.after(place.way, token)
        return self._look(matcher, place.written + 1, known, place.longest)

    def _look(
        self,
        matcher: llguidance.LLMatcher,
        written: int,
        known: Sequence[tuple[int, ...]],
        longest: int,
    ) -> _Place:
        """See how far the end is, now that ``written`` tokens are; ``known`` may lead there."""
        if self._budget is None:
            return _Place(written, None, longest, closing=False)
        left = self._budget - written
        if left > 2 * longest + _FAR and written % _LOOK_EVERY:
            return _Place(written, None, longest, closing=False)
        closer = self._grammar.closer
        short = (way for way in known if len(way) <= left)
        way = next((way for way in short if closer.ends(matcher, way)), None)
        if way is None:
            way = self._find(matcher, left)
        if way is None:
            return _Place(written, None, longest, closing=False)
        longest = max(longest, len(way))
        # What is opened next may need about as much as what was opened before.
        closing = left <= len(way) + min(longest, _MARGIN) + 2
        return _Place(written, way, longest, closing)

    def _find(self, matcher: llguidance.LLMatcher, left: int) -> tuple[int, ...] | None:
        began = time.thread_time()
        try:
            return self._grammar.closer.way(matcher, min(left, _LONGEST_WAY))
        except RuntimeError:
            return None
        finally:
            self._spent += time.thread_time() - began

    def _fill(self, matcher: llguidance.LLMatcher, row: NDArray[np.int32], place: _Place) -> bool:
        """Write the mask ``[W]`` int32 of a place; True when closing took something away."""
        began = time.thread_time()
        matcher.unsafe_compute_mask_ptr(row.ctypes.data, row.nbytes)
        self._spent += time.thread_time() - began
        if matcher.is_error():
            raise exhausted(matcher.get_error(), self._param)
        limits = self._grammar.limits
        if self._spent > limits.mask_seconds + limits.mask_share * place.written:
            raise exhausted(f"{self._spent:.0f} s of work for this reply", self._param)
        if not place.closing or place.way is None or self._budget is None:
            return False
        whole = row.copy()
        left = self._budget - place.written
        self._grammar.closer.narrow(row, matcher, place.way, left)
        return not np.array_equal(row, whole)


def _allows(row: NDArray[np.int32], token: int) -> bool:
    return 0 <= token < 32 * row.size and bool((int(row[token >> 5]) >> (token & 31)) & 1)
