"""How large a regular expression is once its counts are written out."""

from __future__ import annotations

import re

# An escape (with what may follow in braces), a class, or one character.
_ATOM = re.compile(r"\\[pPxuU]\{[^}]*\}|\\.|[^\\]", re.DOTALL)
_COUNT = re.compile(r"\{\s*(\d+)?\s*(?:,\s*(\d+)?\s*)?\}")
_QUANTIFIER = "*+?"
_HUGE = 10**12


def expanded_size(pattern: str) -> int:
    """Atoms of ``pattern`` with every ``{n}`` and ``{n,m}`` written out as often as it may repeat.

    Expressions that are no valid ones have some size, too; the library refuses them afterwards.
    """
    sizes = [0]  # of each open group
    last = 0  # size of the atom or group just read
    at = 0
    while at < len(pattern):
        count = _COUNT.match(pattern, at)
        if count and (count[1] or count[2]):
            times = min(_HUGE, max(int((count[1] or "0")[:13]), int((count[2] or "0")[:13])))
            grown = min(_HUGE, last * max(1, times))
            sizes[-1] += grown - last
            last, at = grown, count.end()
        elif pattern[at] == "(":
            sizes.append(0)
            last, at = 0, at + 1
        elif pattern[at] == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
            at += 1
        elif pattern[at] == "[":
            last, at = 1, _class_end(pattern, at)
            sizes[-1] += 1
        elif pattern[at] in _QUANTIFIER:
            at += 1
        else:
            atom = _ATOM.match(pattern, at)
            last, at = 1, atom.end() if atom else at + 1
            sizes[-1] += 1
    return min(_HUGE, sum(sizes))


def _class_end(pattern: str, start: int) -> int:
    """Where the class that opens at ``start`` ends; classes may hold classes."""
    depth, at = 0, start
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            depth += 1
            at += pattern.startswith("^", at + 1)
            at += pattern.startswith("]", at + 1)  # []a] holds a bracket
        elif pattern[at] == "]":
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return len(pattern)
