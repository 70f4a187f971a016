"""E-mail addresses in text."""

from __future__ import annotations

import re

EMAIL = "[email]"

_AT = r"(?:[@＠]|[ ]?[\[({](?:at|AT|@|arroba)[\])}][ ]?)"
_DOT = r"(?:[.．]|[ ]?[\[({](?:dot|DOT|punkt)[\])}][ ]?)"


def _address(letters: str) -> re.Pattern[str]:
    """An address written in ``letters``, the inside of a character class.

    A match starts where a run of them starts, and no run is looked at twice: the search is linear.
    """
    local = f"[{letters}.+%'-]"
    return re.compile(rf"(?<!{local}){local}++{_AT}([{letters}-]++(?:{_DOT}[{letters}-]++)++)")


_SPACED = _address(r"0-9A-Za-z_\u00c0-\u0dff\u10a0-\u16ff\u1e00-\u1fff\uff10-\uff19\uff21-\uff5a")
"""In scripts that put spaces between words: in the others a sentence runs on into an address."""

_ANY = _address(r"\w")


_SIGN = re.compile(_AT)
_DOTTED = re.compile(_DOT)


def without_addresses(text: str) -> str:
    """``text`` with ``[email]`` for each address; ``name(at)domain.org`` is one too."""
    if not _SIGN.search(text):
        return text
    for pattern in (_SPACED, _ANY):
        text = pattern.sub(_replaced, text)
    return text


def _replaced(match: re.Match[str]) -> str:
    """What stands before the name stays, as a quote does, and numbers behind it; ``pack@1.2.3`` is
    no address."""
    domain = match[1]
    dots = list(_DOTTED.finditer(domain))
    end = len(domain)
    while dots and domain[dots[-1].end() : end].replace("-", "").isdecimal():
        end = dots.pop().start()
    if not dots:
        return match[0]
    before = len(match[0]) - len(match[0].lstrip(".+%'-"))
    return match[0][:before] + EMAIL + domain[end:]
