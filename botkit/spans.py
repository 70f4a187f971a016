"""What happened in a turn and how long it took, as a tree of spans.

The parent is always named: a turn's parts run in generators and tasks, where a "current span" of
the context would be lost. :mod:`botkit.tracing` makes spans of OpenTelemetry; here are the
protocols, and what costs nothing where nobody looks.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

Attribute = str | int | float | bool | tuple[str, ...] | None
"""The value of an attribute; one that is None is left out."""


class Begin(Protocol):
    """Begins a span: a :class:`Tracer`'s first, or a part of another (:meth:`Span.child`)."""

    def __call__(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """The span; see :meth:`Span.child`."""
        ...


class Span(Protocol):
    """A piece of work that takes time. Attributes never hold what a person said."""

    def child(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """Begin a part of this work.

        Args:
            name: Of few different ones: what is particular goes into attributes.
            client: The work is done elsewhere, as by a platform or a model.
            attributes: By name, ``__`` in it standing for a dot.
        """
        ...

    def set(self, **attributes: Attribute) -> None:
        """Add attributes."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """The work is over; a second time changes nothing. Of an error only the type is kept."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Tracer(Protocol):
    """Takes spans, and never holds up or fails the work that makes them."""

    def begin(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """Begin work that is part of nothing; the arguments are those of :meth:`Span.child`."""
        ...

    async def flush(self, seconds: float) -> None:
        """Give away what has ended; returns when that is done, or after so many seconds."""
        ...

    async def aclose(self) -> None:
        """Flush, and take nothing any more."""
        ...


class _NoSpan:
    def child(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
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


class _NoTracer:
    def begin(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        return NO_SPAN

    async def flush(self, seconds: float) -> None:
        pass

    async def aclose(self) -> None:
        pass


NO_SPAN: Span = _NoSpan()
"""Records nothing."""

NO_TRACER: Tracer = _NoTracer()
"""Where nobody looks."""
