"""Where sentences and words end, and how two halves of a sentence are joined."""

from __future__ import annotations

from botkit.moderation.normal import IN_UNSPACED

_ENDS = frozenset(".!?…:;。！？؟।։።៖។၊။>|`*_)]}\"'”’»」』）】")
"""What a finished piece of text may end with: full stops of many scripts, and what closes."""

LONGEST_OVERLAP = 200
LONGEST_WORD = 200


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


def whole_words(text: str) -> str:
    """``text`` up to the last word that is certainly written to its end.

    A word that only begins like one that may not be said is not taken for it, and one that may not
    be said is not shown in half. What is longer than any word is not waited for.
    """
    for at in range(len(text) - 1, max(-1, len(text) - 1 - LONGEST_WORD), -1):
        if text[at].isspace() or IN_UNSPACED.match(text[at]):
            return text[: at + 1]
    return "" if len(text) <= LONGEST_WORD else text
