"""The file of a word list.

One entry a line, UTF-8; empty lines and those that begin with ``#`` are comments::

    bad word            whole words, whatever their case
    笨蛋                 anywhere, in scripts without spaces between words
    /credit ?card/      a regular expression (https://github.com/google/re2/wiki/Syntax)
    input: spell        only in what people write
    output: secret      only in what the bot says
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from botkit.errors import SettingsError
from botkit.moderation.moderator import Direction
from botkit.moderation.normal import IN_UNSPACED, WORD, normal
from botkit.moderation.patterns import check_pattern

LONGEST_LINE = 1_000
MOST_LINES = 20_000

_PREFIX = re.compile(r"(input|output)[ \t]*:", re.IGNORECASE)
_PLAIN = re.compile(r"[\s'’-]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Fields:
        line: Its number, from 1.
        kind: ``words``, whole and in order; ``literal``, with characters that are no letters;
            ``unspaced``, anywhere; or a ``pattern``.
        text: As it is compared; a pattern as it is written.
        directions: Where it counts.
    """

    line: int
    kind: Literal["words", "literal", "unspaced", "pattern"]
    text: str
    directions: tuple[Direction, ...]


def read_entries(path: Path) -> list[Entry]:
    """The entries of a file.

    Raises:
        SettingsError: It cannot be read, or a line is wrong; the message names file and line.
        MissingExtraError: A regular expression needs ``botkit[moderation]``.
    """
    lines = _read(path).replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) > MOST_LINES:
        raise _wrong(path, f"it has more than {MOST_LINES} lines")
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = _entry(number, line)
        except ValueError as error:
            raise _wrong(path, f"line {number}: {error}") from None
        if entry is not None:
            entries.append(entry)
    if not entries:
        raise _wrong(path, "it holds no entry")
    return entries


def _read(path: Path) -> str:
    most = MOST_LINES * (4 * LONGEST_LINE + 2)
    try:
        if path.exists() and not path.is_file():
            raise _wrong(path, "it is no file")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _wrong(path, f"it cannot be read: {reason}") from None
    if len(data) > most:
        raise _wrong(path, f"it is larger than {most} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise _wrong(path, f"line {number}: this is not UTF-8") from None


def _entry(number: int, line: str) -> Entry | None:
    """The entry of a line; None for a comment.

    Raises:
        ValueError: It is wrong; says how.
    """
    if len(line) > LONGEST_LINE:
        raise ValueError(f"it is longer than {LONGEST_LINE} characters")
    if "\0" in line:
        raise ValueError("it holds a NUL character")
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    prefix = _PREFIX.match(line)
    directions: tuple[Direction, ...] = ("input", "output")
    if prefix is not None:
        directions = ("input",) if prefix[1].lower() == "input" else ("output",)
        line = line[prefix.end() :].strip()
    if line.startswith("/"):
        return Entry(number, "pattern", _pattern(line), directions)
    text = " ".join(normal(line).split())
    if not text:
        raise ValueError("there is nothing in it that could be seen")
    return Entry(number, _kind(text), text, directions)


def _kind(text: str) -> Literal["words", "literal", "unspaced"]:
    if IN_UNSPACED.search(text):
        return "unspaced"
    plain = _PLAIN.fullmatch(WORD.sub("", text)) and WORD.search(text)
    return "words" if plain else "literal"


def _pattern(line: str) -> str:
    if len(line) < 3 or not line.endswith("/"):
        raise ValueError("a regular expression is written between two slashes, as /spam+/")
    pattern = line[1:-1]
    check_pattern(pattern)
    return pattern


def _wrong(path: Path, problem: str) -> SettingsError:
    return SettingsError(f"BOTKIT_MODERATION_FILE ({path}): {problem}")
