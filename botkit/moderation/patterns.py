"""Regular expressions whose time grows with the text's length only: google-re2 runs them.

Letters of either case match; ``\\d``, ``\\w`` and ``\\b`` know ASCII only (``\\pL`` is any letter).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botkit.errors import MissingExtraError

if TYPE_CHECKING:
    from botkit.moderation.entries import Entry

MEMORY = 16 << 20
"""Bytes that one expression may take; beyond it is refused, or runs slower."""

TOGETHER = 4_000
"""Characters of expressions that are joined into one."""

_PROBES = ("", "a", "a b", "1.", "\n", "é")


def check_pattern(pattern: str) -> None:
    """See that an expression can be used.

    Raises:
        ValueError: It cannot; says why.
        MissingExtraError: ``botkit[moderation]`` is missing.
    """
    compiled = _compiled(pattern)
    for probe in _PROBES:
        found = compiled.search(probe)
        if found is not None and found.start() == found.end():
            raise ValueError("the regular expression matches the empty text, and so everything")


class Patterns:
    """Expressions looked for together.

    The first joins them and finds whether there is any; only then each is tried.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._groups: list[tuple[Any, list[tuple[Any, int]]]] = []
        for group in _grouped(entries):
            single = [(_compiled(each.text), each.line) for each in group]
            try:
                joined = _compiled("|".join(f"(?:{each.text})" for each in group))
            except ValueError:  # too large together
                self._groups += [(compiled, [(compiled, line)]) for compiled, line in single]
            else:
                self._groups.append((joined, single))

    def find(self, text: str) -> int | None:
        """The line of one that is in the text."""
        for joined, single in self._groups:
            if joined.search(text) is not None:
                lines = (line for compiled, line in single if compiled.search(text) is not None)
                return next(lines, single[0][1])
        return None


def _grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    groups: list[list[Entry]] = []
    size = TOGETHER
    for entry in entries:
        size += len(entry.text)
        if size > TOGETHER or r"\Q" in entry.text:
            groups.append([])
            size = TOGETHER if r"\Q" in entry.text else len(entry.text)
        groups[-1].append(entry)
    return groups


def _compiled(pattern: str) -> Any:
    try:
        re2 = import_module("re2")
    except ModuleNotFoundError:
        raise MissingExtraError("google-re2", "moderation") from None
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the regular expression is refused: {text}") from None
