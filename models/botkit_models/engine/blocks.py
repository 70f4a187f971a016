"""Which blocks of the cache are whose, and what finished conversations left in them.

Full blocks form a tree: a block's children are what followed its tokens in some text. A new text
walks down from the root and takes over every block whose tokens it begins with; nothing is copied.
The block that a text ended in, not full yet, waits for the one text that goes on there: it becomes
that text's own. Blocks that nobody holds stay until their place is needed, those unused for longest
first, a text's end before its beginning. Source: SGLang's RadixAttention (Zheng et al. 2024,
arXiv:2312.07104), with blocks for edges as vLLM has them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from botkit_models.gpt.block import BLOCK

Tokens = tuple[int, ...]


class Node:
    """A block of the cache: ``tokens`` after those of ``parent``.

    One with fewer tokens than a block has is where a text ended: without holders or children.
    """

    __slots__ = ("block", "children", "holders", "parent", "tokens")

    def __init__(self, parent: Node | None, tokens: Tokens, block: int) -> None:
        self.parent, self.tokens, self.block = parent, tokens, block
        self.children: dict[Tokens, Node] = {}
        self.holders = 0


class Blocks:
    """All blocks of a cache.

    Args:
        count: How many there are.
        width: How many one text may have.
    """

    def __init__(self, count: int, width: int) -> None:
        self.count, self.width = count, width
        self._free = list(range(count - 1, -1, -1))
        self._roots: dict[Hashable, Node] = {}
        # Without holders, unused for longest first. Whoever holds a block holds its ancestors, so
        # that the first one here never has a child.
        self._idle: OrderedDict[int, Node] = OrderedDict()

    def lease(self, root: Hashable = None) -> Lease:
        """A place for a new text; texts of different ``root`` share nothing."""
        return Lease(self, self._roots.setdefault(root, Node(None, (), -1)))

    @property
    def spare(self) -> int:
        """How many blocks could be taken now."""
        return len(self._free) + len(self._idle)

    @property
    def kept(self) -> int:
        """How many blocks nobody holds, but a text that begins alike could take over."""
        return len(self._idle)

    def take(self) -> int:
        """An empty block.

        Raises:
            MemoryError: All are held.
        """
        if self._free:
            return self._free.pop()
        if not self._idle:
            raise MemoryError("every block of the cache is held")
        block, node = self._idle.popitem(last=False)
        assert node.parent is not None
        del node.parent.children[node.tokens]
        return block

    def give_back(self, block: int) -> None:
        """Take back a block that is in no tree."""
        self._free.append(block)

    def keep_end(self, parent: Node, tokens: Tokens, block: int) -> None:
        """Keep the block that a text ended in for whoever goes on there."""
        if tokens in parent.children:
            self.give_back(block)
            return
        parent.children[tokens] = self._idle[block] = Node(parent, tokens, block)

    def take_end(self, parent: Node, tokens: Sequence[int], more: int) -> tuple[int, int] | None:
        """The block of a text that ended in the middle of ``tokens``, which follow ``parent``.

        Returns it, and how many of its positions are written: ``more`` at least, or None.
        """
        for length in range(min(len(tokens), BLOCK - 1), more - 1, -1):
            node = parent.children.get(tuple(tokens[:length]))
            if node is not None:
                del parent.children[node.tokens], self._idle[node.block]
                return node.block, length
        return None

    def hold(self, node: Node) -> None:
        """One more text has this block."""
        if node.holders == 0:
            self._idle.pop(node.block, None)
        node.holders += 1

    def let_go(self, node: Node) -> None:
        """One text less has this block."""
        node.holders -= 1
        if node.holders == 0:
            self._idle[node.block] = node


class Lease:
    """The blocks of one text.

    Fields:
        table: Their numbers, in order; ``[width]`` int32, of which :attr:`held` are valid.
    """

    def __init__(self, blocks: Blocks, root: Node) -> None:
        self._blocks = blocks
        self._chain = [root]  # the root, then the full blocks that others may take over
        self.table: NDArray[np.int32] = np.zeros(blocks.width, np.int32)
        self.held = 0
        self._end: Tokens = ()  # what is written in the first block that is not shared

    def adopt(self, tokens: Sequence[int], read: int = 0) -> int:
        """Take over blocks that hold what ``tokens`` go on with; returns how many tokens are read.

        Args:
            tokens: The text, as far as it may be taken over.
            read: How many of them this text has read itself.
        """
        while True:
            first = self._shared * BLOCK
            if first + BLOCK > len(tokens):
                break
            child = self._chain[-1].children.get(tuple(tokens[first : first + BLOCK]))
            if child is None:
                break
            self._share(child)
        more = max(read - first, 0) + 1
        found = self._blocks.take_end(self._chain[-1], tokens[first : first + BLOCK], more)
        if found is None:
            return max(first, read)
        block, written = found
        self._put(self._shared, block)
        self._end = tuple(tokens[first : first + written])
        return first + written

    def reserve(self, positions: int) -> None:
        """Have blocks for this many positions.

        Raises:
            MemoryError: There are not as many; those that were had are kept.
        """
        while self.held * BLOCK < positions:
            self.table[self.held] = self._blocks.take()
            self.held += 1

    def share(self, tokens: Sequence[int] | NDArray[np.int32]) -> None:
        """Offer the full blocks of ``tokens``, whose keys and values are all written."""
        while (self._shared + 1) * BLOCK <= len(tokens):
            first = self._shared * BLOCK
            key = _ids(tokens[first : first + BLOCK])
            parent = self._chain[-1]
            child = parent.children.get(key)
            if child is None:
                child = parent.children[key] = Node(parent, key, int(self.table[self._shared]))
                self._blocks.hold(child)
                self._chain.append(child)
            else:
                self._share(child)  # another text was quicker
        self._end = _ids(tokens[self._shared * BLOCK :])

    def close(self) -> None:
        """Give everything back; what was shared stays for the next text that begins alike."""
        place = self._shared
        if self._end and place < self.held:
            self._blocks.keep_end(self._chain[-1], self._end, int(self.table[place]))
            place += 1
        for rest in range(place, self.held):
            self._blocks.give_back(int(self.table[rest]))
        # The end first: it is the first to be forgotten.
        for node in reversed(self._chain[1:]):
            self._blocks.let_go(node)
        del self._chain[1:]
        self.held = 0

    @property
    def _shared(self) -> int:
        return len(self._chain) - 1

    def _share(self, node: Node) -> None:
        self._blocks.hold(node)
        self._put(self._shared, node.block)
        self._chain.append(node)
        self._end = ()

    def _put(self, place: int, block: int) -> None:
        """Have ``block`` in a place of the table; what was there is given back."""
        if place < self.held:
            self._blocks.give_back(int(self.table[place]))
        else:
            self.held = place + 1
        self.table[place] = block


def _ids(tokens: Sequence[int] | NDArray[np.int32]) -> Tokens:
    return tuple(map(int, tokens))
