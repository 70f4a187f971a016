"""How far a page has seen a conversation: the ids of its server-sent events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_MOST = (1 << 63) - 1
"""More is no number of a database."""

_WRITTEN = re.compile(r"(\d{1,19})\.(\d{1,19})\.(d[0-9a-f]{1,32}|-)\.(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """``E.S.D.N``.

    Fields:
        epoch, seq: Of the last entry; see :class:`botkit.feed.FeedHead`.
        draft: The draft that is on show; empty for none.
        characters: How much of it, in code points.
    """

    epoch: int = 0
    seq: int = 0
    draft: str = ""
    characters: int = 0

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}.{self.draft or '-'}.{self.characters}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The cursor that ``text`` writes; None where it writes none."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        epoch, seq = int(found[1]), int(found[2])
        if max(epoch, seq) > _MOST:
            return None
        draft = "" if found[3] == "-" else found[3]
        return cls(epoch, seq, draft, int(found[4]) if draft else 0)
