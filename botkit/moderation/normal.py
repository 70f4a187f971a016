"""Text as it is compared: however it was typed, the same words look the same."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Format characters and others that cannot be seen (Unicode's Default_Ignorable_Code_Point)."""

UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"
)
UNSPACED += "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without spaces between words, for a character class: Thai, Lao, Tibetan, Burmese, Khmer,
kana and Han."""

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
)
_MARKS += "\u06d6-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0816-\u082d\u0859-\u085b\u08ca-\u0902"
_MARKS += (
    "\u0903-\u0963\u0981-\u0dff\u135d-\u135f\u1ab0-\u1aff\u1b00-\u1b44\u1dc0-\u1dff\u20d0-\u20f0"
)
"""Vowel signs and accents, which are part of a word though they are no letters; the Indic scripts
as a whole."""

WORD = re.compile(rf"(?:[^\W_{UNSPACED}]|[{_MARKS}])+")
"""A word, in scripts that have spaces."""

IN_UNSPACED = re.compile(f"[{UNSPACED}]")


def visible(text: str) -> str:
    """Compatible forms made one (NFKC), and without what cannot be seen."""
    return text if text.isascii() else _HIDDEN.sub("", unicodedata.normalize("NFKC", text))


def normal(text: str) -> str:
    """As :func:`visible`, and without case."""
    folded = visible(text).casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFKC", folded)
