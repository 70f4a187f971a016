"""How far a reply is while it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from botkit.completion.chat import FinishReason


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply so far.

    Fields:
        text: All of it. It may be shorter than the draft's before: the reply was begun anew.
        attempt: The how-manieth, from 0.
        finish_reason: Why it ended; None while it is written.
        raw: As the model wrote it, with what was taken out of ``text``.
        logprob: The mean log-probability of its tokens, in nats, where the completion tells.
    """

    text: str
    attempt: int = 0
    finish_reason: FinishReason | None = None
    raw: str = ""
    logprob: float | None = None


async def last(drafts: AsyncGenerator[Draft, None]) -> Draft:
    """The last of the drafts, which is the reply; an empty one where there are none."""
    draft = Draft("")
    async with aclosing(drafts):
        async for each in drafts:
            draft = each
    return draft
