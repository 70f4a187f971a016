"""A conversation's title: what the person said first."""

from __future__ import annotations

from dataclasses import replace
from textwrap import shorten

from botkit.pipeline import CallNext
from botkit.replies import Reply
from botkit.turn import Turn

TITLE_CHARACTERS = 60


async def title(turn: Turn, call_next: CallNext) -> Reply | None:
    """Title the first reply of a conversation, where its handler did not."""
    reply = await call_next(turn)
    known = not turn.summary.empty or any(said.role == "user" for said in turn.past)
    if reply is None or reply.title or known:
        return reply
    return replace(reply, title=shorten(turn.text, TITLE_CHARACTERS, placeholder=" …"))
