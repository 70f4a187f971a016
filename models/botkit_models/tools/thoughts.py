"""Telling a reply's thoughts from its answer."""

from __future__ import annotations

from botkit_models.tools.held import Held
from botkit_models.tools.parts import Thought

OPENING, CLOSING = "<think>", "</think>"


class ThoughtReader:
    """Reads a reply up to where the answer begins.

    Args:
        opened: The prompt ends with ``<think>``, so that the reply begins with a thought.

    Fields:
        over: The answer has begun; what waits in ``held`` is its beginning.
        thinking: A thought has begun and did not end yet.
        closed: One did.
    """

    def __init__(self, held: Held, *, opened: bool) -> None:
        self._held = held
        self.thinking = opened
        self.over = self.closed = False
        self._begun = False

    def read(self) -> list[Thought]:
        """What can be told from what waits."""
        if not self.thinking and not self._opens():
            return []
        return self._think()

    def end(self, *, cut: bool) -> list[Thought]:
        """What waits when nothing more comes. An answer that did not begin yet is not read."""
        if cut:
            self._held.drop_overlap(CLOSING if self.thinking else OPENING)
        if not self.thinking:
            self.over = True
            return []
        return self._thought(len(self._held.text.rstrip()))

    def _opens(self) -> bool:
        text = self._held.text.lstrip()
        if len(text) < len(OPENING) and OPENING.startswith(text):
            return False  # it may become one
        if not text.startswith(OPENING):
            self.over = True
            return False
        self._held.skip_spaces()
        self._held.take(len(OPENING))
        self.thinking = True
        return True

    def _think(self) -> list[Thought]:
        held = self._held
        if not self._begun and not held.skip_spaces():
            return []
        thoughts = self._thought(held.before(CLOSING))
        if held.text.lstrip().startswith(CLOSING):
            held.skip_spaces()
            held.take(len(CLOSING))
            self.thinking, self.over, self.closed = False, True, True
        return thoughts

    def _thought(self, count: int) -> list[Thought]:
        if count == 0:
            return []
        self._begun = True
        start = self._held.start
        return [Thought(self._held.take(count), start)]
