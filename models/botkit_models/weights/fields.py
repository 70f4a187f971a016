"""Typed reading of a foreign configuration: JSON fields or GGUF metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from botkit.errors import ModelFileError


class Fields:
    """A mapping from an untrusted file; every getter checks the type it promises.

    ``None`` counts as absent, as Hugging Face writes absent fields.
    """

    def __init__(self, values: Mapping[str, Any], source: object, prefix: str = "") -> None:
        self._values = values
        self.source = source
        self._prefix = prefix

    def get(self, name: str) -> Any:
        """The raw value, or None."""
        return self._values.get(self._prefix + name)

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.get(name)
        value = default if value is None else value
        if type(value) is not int:
            raise self._wrong(name, value, "a whole number")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.get(name)
        value = default if value is None else value
        if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e12:
            raise self._wrong(name, value, "a number")
        if not math.isfinite(value):
            raise self._wrong(name, value, "a finite number")
        return float(value)

    def optional_number(self, name: str) -> float | None:
        """A finite number, or None when absent."""
        return None if self.get(name) is None else self.number(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.get(name)
        value = default if value is None else value
        if type(value) is not bool:
            raise self._wrong(name, value, "true or false")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """A text."""
        value = self.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def items(self, name: str) -> list[Any]:
        """A list; empty when absent."""
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, value, "a list")
        return value

    def _wrong(self, name: str, value: Any, expected: str) -> ModelFileError:
        shown = repr(value)[:60]
        found = "is missing" if value is None else f"is {shown}"
        return ModelFileError(f"{self.source}: {self._prefix}{name} {found}; expected {expected}")
