"""Whether a reply is good enough to be said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botkit.completion.messages import Message
from botkit.replies import Reply

if TYPE_CHECKING:
    from botkit.turn import Turn

HandOff = Callable[["Turn", str], Awaitable[Reply | str | None]]
"""Takes a turn that the model could not answer, and why: to a human, or with another answer; None
leaves the fallback."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reply to judge.

    Fields:
        messages: What it answers.
        text: As the model wrote it, whole.
        language: What the person speaks, as ``de``; empty when unknown.
        logprob: The mean log-probability of its tokens, in nats; None where nobody tells.
    """

    messages: Sequence[Message]
    text: str
    language: str = ""
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says.

    Fields:
        passed: Whether the reply may be said.
        reason: One word for why not, as ``repeats``; it becomes a label of a metric.
        hint: What the model is told for its next attempt.
        score: From 0 to 1; of several attempts that failed, the best may be needed.
    """

    passed: bool
    reason: str = ""
    hint: str = ""
    score: float = 1.0


class Judge(Protocol):
    """Judges replies. It must be quick: people wait."""

    @property
    def wants_logprobs(self) -> bool:
        """Whether it looks at log-probabilities: they are asked for where the model gives them."""
        ...

    async def judge(self, candidate: Candidate) -> Verdict:
        """Whether the candidate may be said; whatever this raises counts as yes."""
        ...
