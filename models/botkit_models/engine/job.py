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
from botkit_models.engine.sampling import SamplingParams


@dataclass(frozen=True)
class Token:
    """One token of a reply; log-probabilities (nats) only where the request asked."""

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Tokens:
    """What one dispatch wrote for a job."""

    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class Finished:
    """The reply is complete: the model ended it, or its budget is used up."""

    reason: Literal["stop", "length"]


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
    """

    text: tuple[int, ...]
    post: Callable[[Event], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class GenerateJob(Job):
    """Continue the text by up to ``budget`` tokens."""

    params: SamplingParams = field(default_factory=SamplingParams)
    budget: int = 1


@dataclass
class EmbedJob(Job):
    """Pool the text's hidden states; posts :class:`Hidden`."""


@dataclass
class ScoreJob(Job):
    """Log-probabilities of the text itself, ``top`` alternatives each; posts :class:`Scored`."""

    top: int = 0
