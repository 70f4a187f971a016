"""Where sentences end, and how two halves of one are joined."""

from __future__ import annotations

_ENDS = frozenset(".!?…:;。！？؟।։።៖។၊။>|`*_)]}\"'”’»」』）】")
"""What a finished piece of text may end with: full stops of many scripts, and what closes."""

LONGEST_OVERLAP = 200


def unfinished(text: str) -> bool:
    """Whether ``text`` seems to stop in the middle of a sentence or of a block of code."""
    stripped = text.rstrip()
    if not stripped:
        return False
    return stripped.count("```") % 2 == 1 or stripped[-1] not in _ENDS


def joined(before: str, more: str) -> str:
    """``more`` after ``before``, without what ``more`` says again of the end of ``before``."""
    if not before or not more:
        return before + more
    for length in range(min(len(before), len(more), LONGEST_OVERLAP), 7, -1):
        if before.endswith(more[:length]):
            return before + more[length:]
    return before + more
