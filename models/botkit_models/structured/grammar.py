"""A compiled grammar, from which each reply takes a constraint."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from botkit_models.panics import is_failure
from botkit_models.structured.closing import Closer
from botkit_models.structured.constraint import GrammarConstraint
from botkit_models.structured.limits import GrammarLimits
from botkit_models.structured.refusal import refused, shown
from botkit_models.structured.vocabulary import Vocabulary

if TYPE_CHECKING:
    import llguidance

_LONGEST_WAY = 2_048
_INITIAL_FUEL = 300_000


class Grammar:
    """What replies may be. Safe to share between threads; compiled by the constructor.

    Args:
        source: A Lark grammar; see :func:`botkit_models.structured.lark.lark_grammar`.
        vocabulary: The model's tokens.
        closer: Finds the ends of replies.
        limits: How much work it may make.
        param: The request's field, for errors.

    Fields:
        way: A short whole reply, as tokens; None where none was found.

    Raises:
        InvalidRequestError: The grammar is wrong, too large, or allows no reply.
    """

    def __init__(
        self,
        source: str,
        vocabulary: Vocabulary,
        closer: Closer,
        limits: GrammarLimits,
        param: str,
    ) -> None:
        self.vocabulary, self.closer, self.limits = vocabulary, closer, limits
        self._lock = threading.Lock()
        try:
            self._matcher = _matcher(source, vocabulary, limits)
            self._check_start(param)
            self.way = self._way(param)
        except BaseException as error:
            # The library panics on some input.
            if isinstance(error, Exception) or not is_failure(error):
                raise
            raise refused(f"The grammar cannot be read: {shown(str(error))}", param) from None

    def constraint(
        self, *, budget: int | None = None, param: str = "response_format"
    ) -> GrammarConstraint:
        """What the engine follows along one reply.

        Args:
            budget: The most tokens that the reply will have; it is closed in time where possible.
            param: The request's field, for errors.
        """
        with self._lock:
            matcher = self._matcher.deep_copy()
        return GrammarConstraint(self, matcher, budget, param)

    @property
    def shortest(self) -> int | None:
        """About how many tokens the shortest reply has; None where it was not found."""
        return None if self.way is None else len(self.way)

    def _check_start(self, param: str) -> None:
        """Refuse what is wrong, or allows no first token, or forces too many."""
        mask = np.zeros(self.vocabulary.words, np.int32)
        start = self._matcher.deep_copy()
        for _ in range(2):
            if not start.is_error():
                start.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
            if start.is_error():
                reason = start.get_error()
                if "NoExtension" in reason:
                    raise refused("The grammar allows no reply at all.", param)
                raise refused(f"The grammar cannot be used: {shown(reason)}", param)
            start.consume_tokens(start.compute_ff_tokens())

    def _way(self, param: str) -> tuple[int, ...] | None:
        try:
            return self.closer.way(self._matcher, _LONGEST_WAY)
        except RuntimeError as error:
            raise refused(
                f"The grammar is too complex, or its replies never end: {shown(str(error))}", param
            ) from None


def _matcher(source: str, vocabulary: Vocabulary, limits: GrammarLimits) -> llguidance.LLMatcher:
    import llguidance

    return llguidance.LLMatcher(
        vocabulary.backend,
        llguidance.LLMatcher.grammar_from_lark(source),
        log_level=0,
        limits=llguidance.LLParserLimits(
            initial_lexer_fuel=_INITIAL_FUEL,
            max_lexer_states=limits.lexer_states,
            verbose_errors=False,
        ),
    )
