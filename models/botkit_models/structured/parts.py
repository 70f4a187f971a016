"""What a reply may be: a small tree that is lowered to one grammar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Literal:
    """Exactly this text; a special token's text in it stays text."""

    text: str


@dataclass(frozen=True)
class SpecialToken:
    """One special token of the model, such as ``<|python_tag|>``."""

    text: str


@dataclass(frozen=True)
class JsonSchema:
    """A JSON value that a schema (draft 2020-12) describes.

    Fields:
        schema: The schema.
        strict: Refuse a schema with keywords that the grammar cannot hold the reply to. Otherwise
            they are ignored: the reply is JSON of the right shape, but may break those keywords.
    """

    schema: Mapping[str, Any] | bool
    strict: bool = True


@dataclass(frozen=True)
class Regex:
    """Text that a regular expression matches as a whole.

    The syntax is that of Rust's ``regex`` crate: no look-around, no back-references.
    """

    pattern: str


@dataclass(frozen=True)
class LarkGrammar:
    """A whole grammar in llguidance's dialect of Lark, beginning with ``start``; only alone.

    See https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md.
    """

    source: str


@dataclass(frozen=True)
class FreeText:
    """Any text, perhaps none, without special tokens.

    Fields:
        unless: What it must not begin with, be it after white space; empty for nothing.
    """

    unless: str = ""


@dataclass(frozen=True)
class TextUntil:
    """Any text, perhaps none, up to the first ``marker``, and the marker itself.

    Fields:
        marker: What ends it.
        unless: What it must not begin with, be it after white space; empty for nothing.
    """

    marker: str | SpecialToken
    unless: str = ""


@dataclass(frozen=True)
class Choice:
    """One of these."""

    options: tuple[Part, ...]


@dataclass(frozen=True)
class Sequence:
    """These, one after another."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Repeat:
    """The part at least ``least`` and at most ``most`` times; ``None`` is any number."""

    part: Part
    least: int = 0
    most: int | None = field(default=None)


Part = (
    Literal
    | SpecialToken
    | JsonSchema
    | Regex
    | LarkGrammar
    | FreeText
    | TextUntil
    | Choice
    | Sequence
    | Repeat
)

JSON_OBJECT = JsonSchema({"type": "object"})
"""Any JSON object."""


def text_with(marker: str | SpecialToken, rest: Part, *, most: int | None = None) -> Part:
    """Any text in which each ``marker`` begins a ``rest``, with at most ``most`` of them."""
    return Sequence((Repeat(Sequence((TextUntil(marker), rest)), most=most), FreeText()))
