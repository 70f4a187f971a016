"""One conversation's place in the engine while a job runs in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from botkit_models.engine.blocks import Lease
from botkit_models.engine.drafts import Drafter
from botkit_models.engine.job import GenerateJob, Job, Savings, Token


@dataclass(eq=False)
class Slot:
    """A running job.

    Fields:
        job: What is done here.
        lease: Its blocks of the cache.
        tokens: Text and reply so far, ``[context]`` int32; ``count`` of them are valid.
        read: How many tokens the cache holds.
        budget: How many tokens the reply may still get.
        drafter: What guesses its next tokens, or None.
        cached: How many tokens of the text were taken over, not read.
        total: Running sum of hidden states ``[E]`` float64 (jobs that embed).
        scored: Log-probabilities so far (jobs that score).
    """

    job: Job
    lease: Lease
    tokens: NDArray[np.int32]
    count: int
    budget: int = 0
    drafter: Drafter | None = None
    read: int = 0
    cached: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros((), np.float64))
    scored: list[Token] = field(default_factory=list)

    @property
    def unread(self) -> int:
        """How many tokens of the text must be read before anything can be answered.

        The last token of a prompt is not read ahead: decoding starts with it.
        """
        ahead = 1 if isinstance(self.job, GenerateJob) else 0
        return max(len(self.job.text) - ahead - self.read, 0)

    @property
    def decoding(self) -> bool:
        """Whether the prompt has been read and a reply is being written."""
        return isinstance(self.job, GenerateJob) and not self.unread

    @property
    def fresh(self) -> bool:
        """Whether nothing has been written yet."""
        return self.count == len(self.job.text)

    @property
    def savings(self) -> Savings:
        """What it did not cost so far."""
        if self.drafter is None:
            return Savings(self.cached)
        return Savings(self.cached, self.drafter.drafted, self.drafter.accepted)

    def append(self, tokens: Sequence[int]) -> None:
        """Add tokens of the reply, of which all but the last have been read."""
        self.tokens[self.count : self.count + len(tokens)] = tokens
        self.count += len(tokens)
        self.budget -= len(tokens)
        self.read = self.count - 1
