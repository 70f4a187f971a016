"""One conversation's place in the engine while a job runs in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from botkit_models.engine.job import GenerateJob, Job, Token
from botkit_models.gpt.cache import LayerCache


@dataclass
class Slot:
    """A running job.

    Fields:
        job: What is done here.
        chunks: Sizes of the prompt chunks still to be read, first one last.
        caches: One per layer, ``length`` positions each.
        tokens: Text and reply so far, ``[length]`` int32; ``count`` of them are valid.
        read: How many tokens the caches hold.
        budget: How many tokens the reply may still get.
        total: Running sum of hidden states ``[E]`` float64 (jobs that embed).
        scored: Log-probabilities so far (jobs that score).
    """

    job: Job
    chunks: list[int]
    caches: list[LayerCache]
    tokens: NDArray[np.int32]
    count: int
    read: int = 0
    budget: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros((), np.float64))
    scored: list[Token] = field(default_factory=list)

    @property
    def length(self) -> int:
        """How many positions there is room for."""
        return len(self.tokens)

    @property
    def decoding(self) -> bool:
        """Whether the prompt has been read and a reply is being written."""
        return not self.chunks and isinstance(self.job, GenerateJob)

    def append(self, token: int) -> None:
        """Add a token of the reply."""
        self.tokens[self.count] = token
        self.count += 1
        self.budget -= 1


def chunk_plan(count: int, sizes: tuple[int, ...]) -> list[int]:
    """Sizes of the chunks that read ``count`` tokens, first one last.

    The plan depends on ``count`` alone: what else the engine does must not change a bit of the
    result. ``sizes`` ascend and each divides the next, so that every chunk starts at a multiple of
    its own size.
    """
    plan: list[int] = []
    small, large = sizes[0], sizes[-1]
    while count > 0:
        # A large chunk costs about as much as three or four small ones.
        size = large if count > large // 2 else small
        plan.append(size)
        count -= size
    return plan[::-1]
