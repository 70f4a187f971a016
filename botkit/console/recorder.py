"""A tracer that keeps the last turns for the console, and passes every span on."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from botkit.console.recording import RecordedSpan, Recording
from botkit.spans import NO_SPAN, NO_TRACER, Attribute, Span, Tracer

TURNS = 500
SPANS = 300
BYTES = 16 << 20


class Recorder:
    """Keeps recordings in memory: so many, of so many spans each, and roughly so many bytes of all.

    Where there is no room the oldest that ended goes first, and of those under way the oldest:
    what hangs is what a developer looks for.

    Args:
        onward: Who takes the spans too; a recorder must not be what makes them fail or wait.
        turns: How many turns are kept.
        spans: How many spans of each.
        size: Bytes of all of them, roughly.
    """

    def __init__(
        self,
        onward: Tracer = NO_TRACER,
        *,
        turns: int = TURNS,
        spans: int = SPANS,
        size: int = BYTES,
    ) -> None:
        self.onward = onward
        self.size = 0
        self.dropped = 0
        self._turns, self._spans, self._most = turns, spans, size
        self._live: OrderedDict[str, Recording] = OrderedDict()
        self._ended: OrderedDict[str, Recording] = OrderedDict()
        # Another one in each process: a page that is older must not be shown another turn.
        self._mark = secrets.token_hex(4)
        self._count = 0

    @property
    def running(self) -> int:
        """How many are under way."""
        return len(self._live)

    def recordings(self) -> list[Recording]:
        """What is kept, the latest begun first."""
        kept = [*self._ended.values(), *self._live.values()]
        return sorted(kept, key=lambda each: each.zero, reverse=True)

    def find(self, recording_id: str) -> Recording | None:
        """The recording of that id, while it is kept."""
        return self._live.get(recording_id) or self._ended.get(recording_id)

    def begin(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """See :class:`botkit.spans.Tracer`."""
        passed = self.onward.begin(name, client=client, **attributes)
        self._count += 1
        recording = Recording(f"{self._mark}-{self._count}", self._spans)
        span, grown = recording.add(None, name, client, attributes)
        self._live[recording.id] = recording
        self._grow(recording, grown)
        return _Span(self, recording, span, passed)

    async def flush(self, seconds: float) -> None:
        """See :class:`botkit.spans.Tracer`."""
        await self.onward.flush(seconds)

    async def aclose(self) -> None:
        """See :class:`botkit.spans.Tracer`."""
        await self.onward.aclose()

    def add(
        self,
        recording: Recording,
        parent: RecordedSpan,
        name: str,
        client: bool,
        attributes: Mapping[str, Attribute],
    ) -> RecordedSpan | None:
        """Begin a part of a span; None where its recording is full."""
        span, grown = recording.add(parent.number, name, client, attributes)
        self._grow(recording, grown)
        return span

    def set(
        self, recording: Recording, span: RecordedSpan, attributes: Mapping[str, Attribute]
    ) -> None:
        """Add attributes."""
        self._grow(recording, recording.set(span, attributes))

    def end(self, recording: Recording, span: RecordedSpan, error: BaseException | None) -> None:
        """A span is over, and with the first of its recording the turn."""
        span.end(recording.now, error)
        if span.parent is None and self._live.pop(recording.id, None) is not None:
            self._ended[recording.id] = recording

    def _grow(self, recording: Recording, grown: int) -> None:
        """Count bytes, of what is kept alone; make room where they are too many."""
        if recording.id not in self._live and recording.id not in self._ended:
            return
        self.size += grown
        while self.size > self._most or len(self._live) + len(self._ended) > self._turns:
            oldest = self._ended or self._live
            if len(self._live) + len(self._ended) <= 1:
                return
            _, gone = oldest.popitem(last=False)
            self.size -= gone.size
            self.dropped += 1


class _Span:
    """A span of both tracers. It is apart from what is recorded, so that nothing of the other
    tracer's is kept."""

    __slots__ = ("_onward", "_recorder", "_recording", "_span")

    def __init__(
        self, recorder: Recorder, recording: Recording, span: RecordedSpan | None, onward: Span
    ) -> None:
        self._recorder = recorder
        self._recording = recording
        self._span = span
        self._onward = onward

    def child(self, name: str, /, *, client: bool = False, **attributes: Attribute) -> Span:
        """See :class:`botkit.spans.Span`."""
        passed = self._onward
        if passed is not NO_SPAN:
            passed = passed.child(name, client=client, **attributes)
        recorder, recording = self._recorder, self._recording
        span = self._span  # what is part of a span that is left out is left out too
        if span is not None:
            span = recorder.add(recording, span, name, client, attributes)
        else:
            recording.left_out += 1
        return _Span(recorder, recording, span, passed)

    def set(self, **attributes: Attribute) -> None:
        """See :class:`botkit.spans.Span`."""
        self._onward.set(**attributes)
        if self._span is not None and self._span.ended is None:
            self._recorder.set(self._recording, self._span, attributes)

    def end(self, error: BaseException | None = None) -> None:
        """See :class:`botkit.spans.Span`."""
        self._onward.end(error)
        if self._span is not None:
            self._recorder.end(self._recording, self._span, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(error)
