"""Replies of one request, running together in the engine, as pieces of text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from botkit.completion.usage import CompletionTokensDetails, Usage, usage
from botkit.errors import InvalidRequestError
from botkit_models.engine.engine import Continuation
from botkit_models.engine.job import Finished, Tokens
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.terms import ORDINARY, Terms
from botkit_models.local.reply import Piece, ReplyWriter
from botkit_models.local.runtime import Runtime
from botkit_models.structured import GrammarConstraint


@dataclass(frozen=True)
class Generation:
    """One reply to be written: after ``text`` (token ids), up to ``budget`` tokens.

    Fields:
        writer: Makes pieces of its tokens.
        constraint: What it may be; None for any text.
        terms: How it waits for its turn.
    """

    text: Sequence[int]
    params: SamplingParams
    budget: int
    writer: ReplyWriter
    constraint: GrammarConstraint | None = None
    terms: Terms = ORDINARY


async def pieces(
    runtime: Runtime, generations: Sequence[Generation]
) -> AsyncGenerator[tuple[int, Piece], None]:
    """Write all replies; yields ``(index, piece)``, each index closing with a finish reason.

    Closing the iterator stops what still runs.

    Raises:
        InvalidRequestError: More replies than the engine ever takes at once.
        CompletionError: As :meth:`botkit_models.engine.engine.Engine.generate`.
    """
    config = runtime.engine.config
    if len(generations) > config.slots + config.queue:
        raise InvalidRequestError(
            f"This request asks for {len(generations)} replies; this server takes at most "
            f"{config.slots + config.queue} at once.",
            param="n",
        )
    wanted = [
        Continuation(one.text, one.params, one.budget, one.constraint, one.terms, runtime.adapter)
        for one in generations
    ]
    async with runtime.engine.generate(wanted) as stream:
        async for index, event in stream:
            if isinstance(event, Tokens | Finished):
                piece = generations[index].writer.write(_flagged(event, generations[index]))
                if piece.finish_reason is not None:
                    stream.stop(index)  # a stop text: the engine does not know that it is over
                yield index, piece


def _flagged(event: Tokens | Finished, generation: Generation) -> Tokens | Finished:
    """The event; a reply that was closed early to fit its budget ended for its length."""
    constraint = generation.constraint
    if isinstance(event, Finished) and constraint is not None and constraint.shortened:
        return replace(event, reason="length")
    return event


def counted(prompt_tokens: int, generations: Sequence[Generation], prompts: int = 1) -> Usage:
    """Tokens of a request: each of its ``prompts`` once, and all replies.

    Of a prompt's tokens those count as cached that the reply which found fewest did not read: the
    others may have found what that one left.

    Args:
        prompt_tokens: Of all prompts together.
        generations: The replies, those of one prompt beside one another.
        prompts: How many prompts there are.
    """
    writers = [one.writer for one in generations]
    saved = [writer.savings for writer in writers]
    each = max(len(saved) // prompts, 1)
    found = [saved[first : first + each] for first in range(0, len(saved), each)]
    accepted = sum(one.accepted for one in saved)
    return usage(
        prompt_tokens,
        sum(writer.count for writer in writers),
        cached_tokens=sum(min(one.cached for one in group) for group in found),
        details=CompletionTokensDetails(
            reasoning_tokens=sum(writer.thinking for writer in writers),
            accepted_prediction_tokens=accepted,
            rejected_prediction_tokens=sum(one.drafted for one in saved) - accepted,
        ),
    )
