"""Payment card numbers in text: ISO/IEC 7812, 13 to 19 digits with a check digit."""

from __future__ import annotations

from botkit.redaction.digits import ROW, Group, groups

CARD = "[card]"

SHORTEST, LONGEST = 13, 19
_ISSUERS = "234568"
"""First digits of card networks; 0, 1, 7 and 9 are no networks that people pay with, and the
milliseconds since 1970 begin with 1."""


def without_cards(text: str) -> str:
    """``text`` with ``[card]`` for each card number, in groups or not."""
    pieces: list[str] = []
    done = 0
    for row in ROW.finditer(text):
        parts = groups(row)
        at = 0
        while at < len(parts):
            end = _card(parts, at)
            if end:
                pieces += [text[done : parts[at].start], CARD]
                done = parts[end - 1].end
            at = max(end, at + 1)
    return "".join([*pieces, text[done:]])


def _card(parts: list[Group], at: int) -> int:
    """Behind the last group of the longest card number that begins at ``at``; 0 for none."""
    if parts[at].digits[0] not in _ISSUERS:
        return 0
    digits, found = "", 0
    separator = parts[at].after
    for index in range(at, len(parts)):
        digits += parts[index].digits
        if len(digits) > LONGEST:
            break
        if len(digits) >= SHORTEST and _grouped(parts[at : index + 1]) and luhn(digits):
            found = index + 1
        if parts[index].after != separator or separator not in ("", " ", "-"):
            break
    return found


def _grouped(parts: list[Group]) -> bool:
    """Whether cards are written like that: in groups of three and more, or digit by digit."""
    sizes = [len(part.digits) for part in parts]
    return all(size >= 3 for size in sizes[:-1]) or set(sizes) == {1}


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
