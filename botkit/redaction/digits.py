"""Rows of digits in text, as people write numbers: in groups, and in the digits of any script."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_HIDDEN = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_SPACE = r" \t\u00a0\u2000-\u200a\u202f\u205f\u3000"
_DASH = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d\u30fc"
_SEPARATOR = rf"[{_SPACE}{_DASH}{_HIDDEN}./．／()（）]"

ROW = re.compile(
    r"(?<![A-Za-z0-9_\d])(?<![0-9A-Fa-f]-)"
    rf"(?P<plus>[+＋][{_HIDDEN}]?)?(?P<open>[(（])?\d(?:{_SEPARATOR}{{0,4}}\d)*+"
)
"""Digits with little between them; linear, for what may stand between is no digit."""

_PART = re.compile(rf"(\d+)({_SEPARATOR}*)")


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that stand together.

    Fields:
        digits: In ASCII.
        start, end: Where they are in the text.
        after: What separates them from the next group: of ``" -./()"``, each once, in order.
    """

    digits: str
    start: int
    end: int
    after: str


def groups(row: re.Match[str]) -> list[Group]:
    """The groups of a row."""
    found = []
    begin = row.start() + len(row["plus"] or "") + len(row["open"] or "")
    for part in _PART.finditer(row.string, begin, row.end()):
        digits = "".join(str(unicodedata.decimal(each)) for each in part[1])
        found.append(Group(digits, part.start(1), part.end(1), _plain(part[2])))
    return found


def _plain(separator: str) -> str:
    """With ASCII for what looks like it, and without what cannot be seen."""
    return "".join(dict.fromkeys(_SHAPES.sub(_shape, separator)))


_SHAPES = re.compile(rf"([{_SPACE}]+)|([{_DASH}])|[{_HIDDEN}]|([．])|([／])|(（)|(）)")
_ASCII = ("", " ", "-", ".", "/", "(", ")")


def _shape(match: re.Match[str]) -> str:
    return _ASCII[match.lastindex or 0]
