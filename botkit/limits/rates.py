"""Rates as settings write them: ``20/minute;200/hour``.

The grammar is that of the `limits` library (https://limits.readthedocs.io/en/stable/quickstart.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 100_000
"""The largest amount: the time of each turn in a window is remembered."""

OFF = frozenset({"", "off", "0", "none"})

PER_USER = "60/minute"
"""The default for one person: nobody who writes by hand meets it."""

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_PLAIN = re.compile(r"([0-9]{1,9})/(second|minute|hour|day)")
_HELP = "write it as 20/minute or 20/minute;200/hour, or off"


@dataclass(frozen=True, slots=True)
class Rate:
    """So much in so many seconds, whichever ones."""

    amount: int
    seconds: int


def parse_rates(text: str) -> tuple[Rate, ...]:
    """The rates that ``text`` writes; none where it is empty or says ``off``.

    Raises:
        ValueError: It is no rate; the message says how to write one.
    """
    text = text.strip().lower()
    if text in OFF:
        return ()
    rates = _plain(text) or _parsed(text)
    if not all(1 <= rate.amount <= MOST for rate in rates):
        raise ValueError(f"a rate allows 1 to {MOST} turns; {_HELP}")
    return rates


def _plain(text: str) -> tuple[Rate, ...]:
    """What nearly everybody writes; none where it is anything else. Importing the library takes
    longer than all else that limits do at start."""
    found = [_PLAIN.fullmatch(part) for part in text.split(";")]
    rates = [Rate(int(each[1]), _SECONDS[each[2]]) for each in found if each is not None]
    return tuple(rates) if len(rates) == len(found) else ()


def _parsed(text: str) -> tuple[Rate, ...]:
    from limits import parse_many

    try:
        return tuple(Rate(item.amount, item.get_expiry()) for item in parse_many(text))
    except ValueError:
        raise ValueError(f"that is no rate; {_HELP}") from None


def check_rates(text: str) -> str:
    """``text``, where it can be parsed; see :func:`parse_rates`."""
    parse_rates(text)
    return text
