"""What the streams of this process show."""

from __future__ import annotations

from collections import OrderedDict

STREAMS = 1_000
"""Remembered; a forgotten one costs nothing but that its reply is put in as a whole."""


class Streams:
    """Texts by channel and message. A text that is not known for certain is not here."""

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[str, str], str] = OrderedDict()

    def put(self, channel: str, ts: str, text: str) -> None:
        """The stream shows ``text``; where too many are known, the oldest is forgotten: another
        process may have delivered its reply."""
        self._texts[channel, ts] = text
        self._texts.move_to_end((channel, ts))
        while len(self._texts) > STREAMS:
            self._texts.popitem(last=False)

    def take(self, channel: str, ts: str) -> str | None:
        """What the stream shows, or None where nobody knows; from now on nobody does."""
        return self._texts.pop((channel, ts), None)
