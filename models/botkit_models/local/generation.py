"""Replies of one request, running together in the engine, as pieces of text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from botkit.errors import InvalidRequestError
from botkit_models.engine.engine import Continuation
from botkit_models.engine.job import Finished, Tokens
from botkit_models.engine.sampling import SamplingParams
from botkit_models.local.reply import Piece, ReplyWriter
from botkit_models.local.runtime import Runtime


@dataclass(frozen=True)
class Generation:
    """One reply to be written: after ``text`` (token ids), up to ``budget`` tokens."""

    text: Sequence[int]
    params: SamplingParams
    budget: int
    writer: ReplyWriter


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
    wanted = [Continuation(one.text, one.params, one.budget) for one in generations]
    async with runtime.engine.generate(wanted) as stream:
        async for index, event in stream:
            if isinstance(event, Tokens | Finished):
                piece = generations[index].writer.write(event)
                if piece.finish_reason is not None:
                    stream.stop(index)  # a stop text: the engine does not know that it is over
                yield index, piece
