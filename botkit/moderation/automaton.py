"""Many sequences looked for at once.

Source: Aho and Corasick, "Efficient string matching: an aid to bibliographic search", 1975.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

_State = dict[str, int]


class Automaton:
    """Finds which of some sequences occur in another, in time that grows with its length only.

    A sequence is of characters or of words; each stands for a number.
    """

    def __init__(self, entries: Iterable[tuple[Sequence[str], int]]) -> None:
        self._next: list[_State] = [{}]
        self._found: list[tuple[tuple[int, int], ...]] = [()]
        for sequence, number in entries:
            self._add(sequence, number)
        self._fail = [0] * len(self._next)
        self._connect()

    def _add(self, sequence: Sequence[str], number: int) -> None:
        state = 0
        for item in sequence:
            following = self._next[state].get(item)
            if following is None:
                following = self._next[state][item] = len(self._next)
                self._next.append({})
                self._found.append(())
            state = following
        self._found[state] = (*self._found[state], (len(sequence), number))

    def _connect(self) -> None:
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for item, following in self._next[state].items():
                back = self._fail[state]
                while back and item not in self._next[back]:
                    back = self._fail[back]
                self._fail[following] = self._next[back].get(item, 0)
                self._found[following] += self._found[self._fail[following]]
                waiting.append(following)

    def find(self, sequence: Iterable[str], takes: Callable[[int, int, int], bool]) -> int | None:
        """The number of the first that occurs and that ``takes(start, end, number)`` takes."""
        start, fail, found = self._next[0], self._fail, self._found
        state, here = 0, start
        for position, item in enumerate(sequence):
            following = here.get(item)
            while following is None and state:
                state = fail[state]
                following = self._next[state].get(item)
            state = following or 0
            here = self._next[state]
            if found[state]:
                end = position + 1
                for length, number in found[state]:
                    if takes(end - length, end, number):
                        return number
        return None
