"""Text that arrives in pieces, of which the end may have to wait for more."""

from __future__ import annotations


class Held:
    """What has arrived and was not taken yet, and where in the whole it begins.

    Fields:
        text: What waits.
        start: The place of its first character in the whole.
    """

    def __init__(self) -> None:
        self.text = ""
        self.start = 0

    def add(self, piece: str) -> None:
        """More has arrived."""
        self.text += piece

    def take(self, count: int) -> str:
        """The first ``count`` characters, which wait no longer."""
        taken, self.text = self.text[:count], self.text[count:]
        self.start += len(taken)
        return taken

    def skip_spaces(self) -> bool:
        """Drop white space at the beginning; whether anything else waits."""
        self.take(len(self.text) - len(self.text.lstrip()))
        return bool(self.text)

    def before(self, marker: str) -> int:
        """How many characters are certainly not of ``marker``, nor white space before it."""
        found = self.text.find(marker)
        if found < 0:
            found = len(self.text) - overlap(self.text, marker)
        return len(self.text[:found].rstrip())

    def drop_overlap(self, marker: str) -> None:
        """Drop a beginning of ``marker`` at the end."""
        self.text = self.text[: len(self.text) - overlap(self.text, marker)]

    def may_become(self, marker: str) -> bool:
        """Whether what waits is a beginning of ``marker``."""
        return len(self.text) < len(marker) and marker.startswith(self.text)


def overlap(text: str, marker: str) -> int:
    """Length of the longest end of ``text`` with which ``marker`` begins, short of all of it."""
    longest = min(len(text), len(marker) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(marker[:size])), 0)
