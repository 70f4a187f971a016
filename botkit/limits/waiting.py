"""Spans of time as a person says them."""

from __future__ import annotations

_UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def in_words(seconds: float) -> str:
    """As ``2 minutes``; rounded up, so that who waits so long has waited long enough.

    >>> in_words(61)
    '2 minutes'
    """
    size, name = next((unit for unit in _UNITS if seconds > unit[0]), (1.0, "second"))
    count = max(1, int(-(-seconds // size)))
    return f"{count} {name}{'' if count == 1 else 's'}"
