"""What one rendering of a chat template may cost: sizes are counted, time is watched."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any

MAX_VALUE = 4_000_000
MAX_DEPTH = 64
ELEMENT = 8  # a number or a list counts like a text of so many characters
BASE = 4_000_000
PER_INPUT_CHAR = 24
SECONDS = 0.8


class BudgetError(Exception):
    """The template wants more than a chat template needs."""


class Budget:
    """Counts down while a template renders.

    Args:
        input_size: Size of messages and tools, in characters; longer input may cost more.
        seconds: Wall time allowed.
    """

    def __init__(self, input_size: int = 0, seconds: float = SECONDS) -> None:
        self._left = BASE + PER_INPUT_CHAR * input_size
        self._deadline = time.monotonic() + seconds

    def spend(self, amount: int) -> None:
        """Pay for a value of ``amount`` characters or elements.

        Raises:
            BudgetError: The value, or all of them together, are too large, or time is up.
        """
        self._left -= 1 + amount
        if amount > MAX_VALUE or self._left < 0:
            raise BudgetError("it makes texts or lists that are too large")
        if time.monotonic() > self._deadline:
            raise BudgetError("it runs for too long")


budget: ContextVar[Budget] = ContextVar("budget")


def spend(amount: int) -> None:
    """Pay from the budget of the rendering that is under way."""
    budget.get().spend(amount)


def measure(value: Any, limit: int = MAX_VALUE) -> int:
    """Characters and elements in a value, counted as a tree: what writing it out would cost.

    A list that holds another list twice counts it twice, so doubling nested lists cannot hide.

    Raises:
        BudgetError: More than ``limit``, or nested too deeply.
    """
    size = 0
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        size += len(item) + 1 if isinstance(item, str | bytes) else ELEMENT
        if size > limit or depth > MAX_DEPTH:
            raise BudgetError("it makes texts or lists that are too large")
        if isinstance(item, dict):
            stack += ((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list | tuple | set):
            stack += ((part, depth + 1) for part in item)
        elif isinstance(item, int):
            size += item.bit_length() // 3
    return size
