"""What a constrained reply may say next, token by token."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from botkit.errors import CompletionError

logger = logging.getLogger(__name__)


class Constraint(Protocol):
    """A grammar's state along one reply. Used by the engine's thread alone.

    Masks are packed: bit ``i`` of word ``w`` says that token ``32 * w + i`` may come. Where the
    reply may end, the ids that end it are allowed; where nothing else may come, only they are.
    """

    def masks(self, drafts: Sequence[int]) -> NDArray[np.int32]:
        """Masks ``[1 + N, ceil(V / 32)]`` int32 of the next token and after each draft.

        ``N`` is how many of ``drafts``, from the first on, may come one after another: no mask
        follows a draft that is not allowed, nor one that ends the reply. The state stays.
        """
        ...

    def forced(self) -> Sequence[int]:
        """Tokens that must come next, as far as they are known; perhaps none."""
        ...

    def accept(self, token: int) -> None:
        """``token``, which the last mask allowed, was written."""
        ...


def failure_of(error: BaseException) -> CompletionError:
    """What the reply is told whose constraint raised ``error``; others go on."""
    if isinstance(error, CompletionError):
        return error
    logger.error("a grammar failed; its reply is given up", exc_info=error)
    return CompletionError(f"The grammar failed: {type(error).__name__}.")
