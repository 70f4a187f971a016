"""Finding the end of a JSON value that arrives in pieces."""

from __future__ import annotations

import re

_SCALAR_END = re.compile(r"[\s,\]}]")
_NEXT_IN_STRING = re.compile(r'[\\"]')
_NEXT_OUTSIDE = re.compile(r'["{}\[\]]')


class JsonValue:
    """Reads one value. What it reads need not be valid: brackets are counted, strings are strings.

    Fields:
        ended: Whether the value is over.
    """

    def __init__(self) -> None:
        self.ended = False
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._scalar = False

    def read(self, text: str) -> int:
        """How many of the characters are of the value; all, unless it ends within them."""
        place = 0
        while place < len(text) and not self.ended:
            if self._in_string:
                place = self._read_string(text, place)
            elif self._scalar:
                place = self._read_scalar(text, place)
            else:
                place = self._read_structure(text, place)
        return place

    def _read_string(self, text: str, place: int) -> int:
        if self._escaped:
            self._escaped = False
            return place + 1
        found = _NEXT_IN_STRING.search(text, place)
        if found is None:
            return len(text)
        if found[0] == "\\":
            self._escaped = True
        else:
            self._in_string = False
            self.ended = self._depth == 0
        return found.end()

    def _read_scalar(self, text: str, place: int) -> int:
        found = _SCALAR_END.search(text, place)
        if found is None:
            return len(text)
        self.ended = True
        return found.start()

    def _read_structure(self, text: str, place: int) -> int:
        if self._depth == 0 and text[place] not in '"{[':
            self._scalar = True
            return place
        found = _NEXT_OUTSIDE.search(text, place)
        if found is None:
            return len(text)
        if found[0] == '"':
            self._in_string = True
        else:
            self._depth += 1 if found[0] in "{[" else -1
            self.ended = self._depth <= 0
        return found.end()
