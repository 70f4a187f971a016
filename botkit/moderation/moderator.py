"""Who says whether a text may pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Direction = Literal["input", "output"]
"""``input`` is what a person wrote, ``output`` what the bot is about to say."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """That a text may not pass.

    Fields:
        category: What kind of thing was found, as ``words``.
        reason: Where to look for why, as ``line 12``; never holds any of the text.
        say: What the person is told; empty for the usual sentence.
    """

    category: str
    reason: str = ""
    say: str = ""


class Moderator(Protocol):
    """Looks at texts. It is asked about every draft of a reply, so it should be quick."""

    async def check(self, text: str, direction: Direction) -> Verdict | None:
        """None when the text may pass. Whatever this raises fails the turn: nothing passes
        unchecked, and the turn is tried again."""
        ...
