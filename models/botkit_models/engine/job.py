"""What the engine is asked to do, and what it reports while doing it.

A job belongs to the engine's thread; its events reach the asyncio side through ``post``, which is
safe to call from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from botkit.errors import CompletionError
from botkit_models.engine.constraint import Constraint
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.terms import ORDINARY, Terms


@dataclass(frozen=True)
class Token:
    """One token of a reply; log-probabilities (nats) only where the request asked."""

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Savings:
    """What a reply did not cost, so far.

    Fields:
        cached: How many tokens of the prompt were in the cache already.
        drafted, accepted: How many tokens of the reply were guessed ahead, and how many well.
    """

    cached: int = 0
    drafted: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class Tokens:
    """What one dispatch wrote for a job."""

    tokens: tuple[Token, ...]
    savings: Savings = Savings()


@dataclass(frozen=True)
class Finished:
    """The reply is complete: the model ended it, or its budget is used up."""

    reason: Literal["stop", "length"]
    savings: Savings = Savings()


@dataclass(frozen=True)
class Hidden:
    """Sum over positions of the normalised hidden states, ``[E]`` float32."""

    total: NDArray[np.float32]


@dataclass(frozen=True)
class Scored:
    """Log-probability of each token of the text after the first."""

    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class Failed:
    """The job will not be finished."""

    error: CompletionError


Event = Tokens | Finished | Hidden | Scored | Failed


@dataclass
class Job:
    """Read a text; what else, the subclasses say.

    Fields:
        text: Token ids, at least one.
        post: Takes the job's events, in order.
        cancelled: Set from any thread; the engine lets go before its next dispatch.
        terms: How it stands in the queue, and until when an answer is of use.
        adapter: Which of the engine's adapters reads and writes, or None: the model as it is.
        read, written: Tokens of the text and of the reply that the engine is through with; kept by
            the scheduler.
    """

    text: tuple[int, ...]
    post: Callable[[Event], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    terms: Terms = ORDINARY
    adapter: int | None = None
    read: int = 0
    written: int = 0

    @property
    def budget_left(self) -> int:
        """How many tokens may still be written."""
        return 0


@dataclass
class GenerateJob(Job):
    """Continue the text by up to ``budget`` tokens.

    ``constraint`` says what the reply may contain, or None.
    """

    params: SamplingParams = field(default_factory=SamplingParams)
    budget: int = 1
    constraint: Constraint | None = None

    @property
    def budget_left(self) -> int:
        """How many tokens may still be written."""
        return self.budget - self.written


@dataclass
class EmbedJob(Job):
    """Pool the text's hidden states; posts :class:`Hidden`."""


@dataclass
class ScoreJob(Job):
    """Log-probabilities of the text itself, ``top`` alternatives each; posts :class:`Scored`."""

    top: int = 0
