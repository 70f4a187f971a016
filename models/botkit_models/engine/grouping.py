"""Which replies are written together: a program exists for a few batch sizes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Group(NamedTuple):
    """``replies`` in a program for ``rows``; the difference is filled with idle rows."""

    replies: int
    rows: int


def groups(count: int, sizes: Sequence[int], *, pad: bool) -> list[Group]:
    """Split ``count`` replies over programs of ascending ``sizes``, the first of them 1.

    With ``pad`` a program may be larger than the number of replies in it.
    """
    plan: list[Group] = []
    while count > 0:
        fitting = [size for size in sizes if size <= count]
        larger = [size for size in sizes if size > count]
        if pad and larger and fitting[-1] < count:
            plan.append(Group(count, larger[0]))
            return plan
        plan.append(Group(fitting[-1], fitting[-1]))
        count -= fitting[-1]
    return plan
