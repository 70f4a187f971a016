"""A moderator that goes by a list of words, phrases and regular expressions."""

from __future__ import annotations

from pathlib import Path

from botkit.moderation.automaton import Automaton
from botkit.moderation.entries import Entry, read_entries
from botkit.moderation.moderator import Direction, Verdict
from botkit.moderation.normal import IN_UNSPACED, WORD, normal, visible
from botkit.moderation.patterns import Patterns


class WordList:
    """The entries of a file; see :mod:`botkit.moderation.entries` for how it is written.

    Raises:
        SettingsError: The file is missing or an entry is wrong; the message names the line.
        MissingExtraError: It holds a regular expression, and ``botkit[moderation]`` is missing.
    """

    def __init__(self, path: Path) -> None:
        entries = read_entries(path)
        self._lists = {
            direction: _List([each for each in entries if direction in each.directions])
            for direction in ("input", "output")
        }

    async def check(self, text: str, direction: Direction) -> Verdict | None:
        """What of the list is in the text."""
        return self._lists[direction].check(text)


class _List:
    """The entries for one direction.

    Whole words and phrases are looked for word by word; what holds other characters, or a script
    without spaces, character by character.
    """

    def __init__(self, entries: list[Entry]) -> None:
        words = [(WORD.findall(each.text), each.line) for each in entries if each.kind == "words"]
        self._words = {found[0]: line for found, line in words if len(found) == 1}
        self._firsts = {found[0] for found, _ in words if len(found) > 1}
        self._phrases = Automaton((found, line) for found, line in words if len(found) > 1)
        literal = [each for each in entries if each.kind in ("literal", "unspaced")]
        self._always = any(each.kind == "literal" for each in literal)
        self._literal = Automaton((each.text, each.line) for each in literal)
        self._bounded = {each.line for each in literal if each.kind == "literal"}
        self._any_literal = bool(literal)
        self._patterns = Patterns([each for each in entries if each.kind == "pattern"])

    def check(self, text: str) -> Verdict | None:
        """What of the entries is in the text."""
        written = normal(text)
        line = self._word(written)
        if line is None and self._any_literal and (self._always or IN_UNSPACED.search(written)):
            line = self._literal.find(written, lambda *found: self._stands(written, *found))
        if line is not None:
            return Verdict("words", f"line {line}")
        line = self._patterns.find(visible(text))
        return None if line is None else Verdict("patterns", f"line {line}")

    def _word(self, written: str) -> int | None:
        words = WORD.findall(written)
        if not self._words.keys().isdisjoint(words):
            return next(self._words[word] for word in words if word in self._words)
        if self._firsts.isdisjoint(words):
            return None
        return self._phrases.find(words, lambda start, end, line: True)

    def _stands(self, written: str, start: int, end: int, line: int) -> bool:
        """Whether an entry that begins or ends with a word's character stands by itself there."""
        if line not in self._bounded:
            return True
        return not (
            (start and _inside(written[start - 1], written[start]))
            or (end < len(written) and _inside(written[end - 1], written[end]))
        )


def _inside(left: str, right: str) -> bool:
    return bool(WORD.match(left) and WORD.match(right))
