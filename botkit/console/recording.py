"""One turn as it was seen: spans in the order in which they began, each with its parent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from botkit.spans import Attribute

LONGEST_TEXT = 256
"""Characters that are kept of an attribute."""

MOST_ATTRIBUTES = 48
"""Of one span; further names are left out."""

SPAN_BYTES = 400
ATTRIBUTE_BYTES = 64
"""Roughly what Python needs, without the texts."""


@dataclass(slots=True, eq=False)
class RecordedSpan:
    """A span.

    Fields:
        number: Its place in the recording.
        parent: That of the span that it is part of; None for the first.
        name: What it is.
        client: The work was done elsewhere.
        began: Seconds since the recording began.
        attributes: By name, ``__`` in it standing for a dot.
        ended: Likewise; None while it goes on.
        error: The type of the error that ended it; empty when none did.
        cancelled: It was not let to its end.
    """

    number: int
    parent: int | None
    name: str
    client: bool
    began: float
    attributes: dict[str, Attribute]
    ended: float | None = None
    error: str = ""
    cancelled: bool = False

    def told(self, name: str) -> Attribute:
        """An attribute, by its name with dots; None when it was not set."""
        return self.attributes.get(name.replace(".", "__"))

    def end(self, at: float, error: BaseException | None) -> None:
        """It is over; a second time changes nothing."""
        if self.ended is not None:
            return
        self.ended = at
        if isinstance(error, asyncio.CancelledError):
            self.cancelled = True
        elif error is not None and not isinstance(error, GeneratorExit):
            self.error = type(error).__qualname__


@dataclass(slots=True, eq=False)
class Recording:
    """A turn, or whatever else began a tree of spans.

    Fields:
        id: Names it as long as the process lives.
        most: Spans that are kept; further ones are counted.
        at: When it began, in seconds since 1970.
        zero: Then, by the clock of the spans.
        spans: Those that are kept; the first is the root.
        left_out: How many are not.
        size: Roughly its bytes.
    """

    id: str
    most: int
    at: float = field(default_factory=time.time)
    zero: float = field(default_factory=time.perf_counter)
    spans: list[RecordedSpan] = field(default_factory=list)
    left_out: int = 0
    size: int = 0

    @property
    def root(self) -> RecordedSpan:
        """The turn itself."""
        return self.spans[0]

    @property
    def live(self) -> bool:
        """Whether it is under way."""
        return self.root.ended is None

    @property
    def conversation(self) -> str:
        """The pseudonym of its conversation; empty where it tells none."""
        return str(self.root.told("botkit.conversation") or "")

    @property
    def seconds(self) -> float | None:
        """How long the turn took; None while it is under way."""
        return self.root.ended

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.zero

    def add(
        self, parent: int | None, name: str, client: bool, attributes: Mapping[str, Attribute]
    ) -> tuple[RecordedSpan | None, int]:
        """Begin a span, as long as there is room; and by how much that makes this larger."""
        if len(self.spans) >= self.most:
            self.left_out += 1
            return None, 0
        span = RecordedSpan(len(self.spans), parent, name[:LONGEST_TEXT], client, self.now, {})
        self.spans.append(span)
        self.size += SPAN_BYTES
        return span, SPAN_BYTES + self.set(span, attributes)

    def set(self, span: RecordedSpan, attributes: Mapping[str, Attribute]) -> int:
        """Add attributes; by how much that makes this larger."""
        kept, grown = span.attributes, 0
        for name, value in attributes.items():
            if value is None or (name not in kept and len(kept) >= MOST_ATTRIBUTES):
                continue
            if isinstance(value, str):
                value = value[:LONGEST_TEXT]
            elif isinstance(value, tuple):
                value = tuple(str(each)[:LONGEST_TEXT] for each in value[:MOST_ATTRIBUTES])
            if name in kept:
                grown -= _bytes(kept[name])
            kept[name] = value
            grown += _bytes(value)
        self.size += grown
        return grown

    def named(self, prefix: str) -> Iterator[RecordedSpan]:
        """The spans whose names begin so, in the order in which they began."""
        return (span for span in self.spans if span.name.startswith(prefix))


def _bytes(value: Attribute) -> int:
    if isinstance(value, str):
        return ATTRIBUTE_BYTES + len(value)
    if isinstance(value, tuple):
        return ATTRIBUTE_BYTES + sum(map(len, value))
    return ATTRIBUTE_BYTES
