"""What happened in a turn and how long it took, as a tree of spans.

The parent is always named: a turn's parts run in generators and tasks, where a "current span" of
the context would be lost. :mod:`botkit.tracing` makes spans of OpenTelemetry; here is the protocol,
and the span that costs nothing.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

Attribute = str | int | float | bool | tuple[str, ...]


class Span(Protocol):
    """A piece of work that takes time. Attributes never hold what a person said."""

    def child(self, name: str, **attributes: Attribute) -> Span:
        """Begin a part of this work; keywords are attributes, ``__`` in them a dot."""
        ...

    def set(self, **attributes: Attribute) -> None:
        """Add attributes."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """The work is over; a second time changes nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class _NoSpan:
    """Where nobody looks."""

    def child(self, name: str, **attributes: Attribute) -> Span:
        return self

    def set(self, **attributes: Attribute) -> None:
        pass

    def end(self, error: BaseException | None = None) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


NO_SPAN: Span = _NoSpan()
"""Records nothing."""
