"""Finding stop texts in a reply that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence


class StopFinder:
    """Watches a growing text for the first of several stop texts, across any piece borders.

    The first is the one that is complete first; of those complete at the same character, the
    longest. So the outcome does not depend on where the pieces' borders are.

    Args:
        stops: Texts to look for; none may be empty.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False

    def push(self, piece: str) -> str:
        """Add a piece; returns the text that can no longer be part of a stop text.

        Once a stop text is found, what stood before it is returned, :attr:`stopped` is set, and
        nothing more will come.
        """
        if self.stopped:
            return ""
        text = self._held + piece
        found = [(place + len(stop), place) for stop, place in self._places(text) if place >= 0]
        if found:
            self.stopped, self._held = True, ""
            _, start = min(found)
            return text[:start]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _places(self, text: str) -> list[tuple[str, int]]:
        return [(stop, text.find(stop)) for stop in self._stops]

    def flush(self) -> str:
        """What was held back, at the end of the reply."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` with which ``stop`` begins."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
