"""What a reply is made of, found while it is written.

``start`` is always the place in the raw reply, in characters, where the part's text stood.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """Text for the reader."""

    text: str
    start: int


@dataclass(frozen=True)
class Thought:
    """Text between ``<think>`` and ``</think>``."""

    text: str
    start: int


@dataclass(frozen=True)
class CallOpened:
    """A call begins; what follows up to the next one is of it."""

    name: str


@dataclass(frozen=True)
class Arguments:
    """A piece of the JSON text of the open call's arguments."""

    text: str


@dataclass(frozen=True)
class CallClosed:
    """The open call's arguments are whole."""


Part = Said | Thought | CallOpened | Arguments | CallClosed
