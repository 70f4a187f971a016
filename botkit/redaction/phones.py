"""Phone numbers in text, told from dates, prices and orders by how they are written.

Sources: ITU-T E.164 (at most 15 digits with the country code), ITU-T E.123 (how to write them), and
the national ways of writing that libphonenumber lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from botkit.redaction.digits import ROW, Group, groups
from botkit.redaction.words import near

PHONE = "[phone]"

_FOUND = re.compile(rf"{re.escape(PHONE)}|{ROW.pattern}")
_MONEY = "$€£¥₹₽₩₺₴฿₫％%"
_BEFORE = re.compile(rf"[#№=/{re.escape(_MONEY)}]\s?\Z")
_AFTER = re.compile(
    rf"\s?(?:[{re.escape(_MONEY)}]|元|円|원"
    r"|(?:eur|euros?|usd|dollars?|chf|gbp|pln|zł|kr|руб|kg|km|mb|gb)\b)",
    re.IGNORECASE,
)
_GROUPED = re.compile(
    r"[2-9]\d\d([ .-])\d{3}\1\d{4}|1([ .-])[2-9]\d\d\2\d{3}\2\d{4}"  # North America
    r"|[78][ -]\d{3}[ -]\d{3}[ -](?:\d{4}|\d\d[ -]\d\d)"  # Russia
    r"|\d\d[ -]9\d{4}-\d{4}"  # Brazil
    r"|1[3-9]\d{9}|1[3-9]\d([ -])\d{4}\3\d{4}"  # China
    r"|[6-9]\d{4}[ -]\d{5}"  # India
    r"|[6-9]\d\d(?: \d\d){3}|[5-9]\d\d([ -])\d{3}\4\d{3}"  # Spain, Poland, Portugal
)
"""Numbers without a trunk zero that their groups tell."""

_SHORTEST, _LONGEST = 7, 15
_TRUNK_SHORTEST, _TRUNK_LONGEST = 9, 12

WINDOW = 20
"""Groups that are looked at from each on: more than any number has digits."""

CONTEXT = 40
"""Characters before a number in which a word may say what it is."""

ADJACENT = 8
"""Characters between the numbers of a list: what follows a phone number is one too."""


def without_phones(text: str) -> str:
    """``text`` with ``[phone]`` for each phone number."""
    pieces: list[str] = []
    done = before = 0
    listed = False
    for found in _FOUND.finditer(text):
        if found[0] == PHONE:
            before, listed = found.end(), True
            continue
        listed = listed and found.start() - before <= ADJACENT
        said = (
            "phone" if listed else near(text[max(before, found.start() - CONTEXT) : found.start()])
        )
        for start, end in _phones(found, said):
            pieces += [text[done:start], PHONE]
            done = end
        before = found.end()
        listed = done == before
    return "".join([*pieces, text[done:]])


def _phones(row: re.Match[str], said: str) -> Iterator[tuple[int, int]]:
    """Where the phone numbers of a row are; ``said`` is what the words before it say of it."""
    parts = groups(row)
    at = 0
    while at < len(parts):
        plus = at == 0 and bool(row["plus"])
        opened = "(" in parts[at - 1].after if at else bool(row["open"])
        count = _phone(row.string, parts[at : at + WINDOW], plus, opened, said)
        if not count:
            at += _date(parts[at : at + WINDOW]) or 1
            continue
        closed = any(")" in part.after for part in parts[at : at + count - 1])
        start = parts[at].start
        if opened and closed:
            start = max(row.string.rfind(each, 0, start) for each in "(（")
        yield (row.start() if plus else start), parts[at + count - 1].end
        said = "phone"
        at += count


def _phone(text: str, parts: list[Group], plus: bool, opened: bool, said: str) -> int:
    """How many groups from the first on are a phone number; 0 for none."""
    first = parts[0].digits
    if plus:
        return 0 if first[0] == "0" else _longest(parts, _SHORTEST, _LONGEST)
    if _date(parts):
        return 0
    if said == "phone" and (count := _longest(parts, _SHORTEST, _LONGEST)):
        return count
    if said == "order" or _BEFORE.search(text, max(0, parts[0].start - 2), parts[0].start):
        return 0
    count = 0
    if re.match("00[1-9]", first + "".join(part.digits for part in parts[1:3])):
        count = _longest(parts, _SHORTEST + 4, _LONGEST + 2)
    elif first[0] == "0" and _trunk(parts):
        count = _longest(parts, _TRUNK_SHORTEST, _TRUNK_LONGEST)
    elif _area(parts, opened):
        count = _longest(parts, _SHORTEST, _TRUNK_LONGEST)
    count = count or _by_groups(parts)
    return 0 if count and _AFTER.match(text, parts[count - 1].end) else count


def _trunk(parts: list[Group]) -> bool:
    """Whether the zero may be dialled: ``0.5`` is a fraction."""
    return len(parts[0].digits) > 1 or (parts[0].after in (" ", "(", " (") and len(parts) > 1)


def _area(parts: list[Group], opened: bool) -> bool:
    """Whether the number begins with an area code in parentheses, a prefix before it or not."""
    if not opened and parts[0].digits in ("0", "1", "7", "8") and "(" in parts[0].after:
        return len(parts) > 1 and ")" in parts[1].after
    year = re.fullmatch("(?:19|20)[0-9]{2}", parts[0].digits)
    return opened and ")" in parts[0].after and len(parts[0].digits) in (2, 3, 4, 5) and not year


def _longest(parts: list[Group], least: int, most: int) -> int:
    """How many groups have together from ``least`` to ``most`` digits: as many as can be."""
    digits = found = 0
    for index, part in enumerate(parts):
        if index and (_ends(parts[index - 1].after) or _date(parts[index:])):
            break
        digits += len(part.digits)
        if digits > most:
            break
        if digits >= least:
            found = index + 1
    return found


def _ends(separator: str) -> bool:
    """Whether a number ends here: at the end of a sentence."""
    return "." in separator and " " in separator


def _by_groups(parts: list[Group]) -> int:
    written, found = "", 0
    for index, part in enumerate(parts[:5]):
        written += part.digits
        if len(written) <= 20 and _GROUPED.fullmatch(written):
            found = index + 1
        written += part.after
    return found


_DATES = frozenset(
    [(day, month, year) for day in (1, 2) for month in (1, 2) for year in (2, 4)]
    + [(4, month, day) for month in (1, 2) for day in (1, 2)]
)
"""How many digits the parts of a date have."""


def _date(parts: list[Group]) -> int:
    """How many groups are a date: 24.12.2024, 2024-12-24, 12/2024; 0 for none."""
    separator = parts[0].after
    if separator not in (".", "-", "/") or len(parts) < 2:
        return 0
    written = [part.digits for part in parts[:3]]
    sizes = tuple(len(each) for each in written)
    if sizes in _DATES and parts[1].after == separator and parts[2].after != separator:
        days = sorted(int(each) for each in (written[1:] if sizes[0] == 4 else written[:2]))
        if 1 <= days[0] <= 12 and days[1] <= 31:
            return 3
    ended = parts[1].after != separator
    month = len(written[0]) <= 2 and 1 <= int(written[0]) <= 12
    return 2 if month and ended and re.fullmatch("(?:19|20)[0-9]{2}", written[1]) else 0
