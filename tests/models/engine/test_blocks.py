"""Blocks of the cache: never two owners who write, never lost, shared where texts begin alike."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from botkit_models.engine.blocks import Blocks
from botkit_models.gpt.block import BLOCK

COUNT, WIDTH = 12, 6


def text(*parts):
    """``BLOCK`` tokens of each number, then a few of the last that fill no block."""
    return [part for part in parts for _ in range(BLOCK)]


def written(blocks, tokens, root=None):
    """A text that was read to its end and has been left."""
    lease = blocks.lease(root)
    lease.adopt(tokens)
    lease.reserve(len(tokens))
    lease.share(tokens)
    table = lease.table[: lease.held].tolist()
    lease.close()
    return table


def test_a_text_that_begins_alike_takes_over_what_it_can():
    blocks = Blocks(COUNT, WIDTH)
    first = written(blocks, text(1, 2, 3))
    lease = blocks.lease()
    assert lease.adopt([*text(1, 2), 9, 9, 9]) == 2 * BLOCK
    assert lease.table[:2].tolist() == first[:2]
    assert blocks.kept == 1  # the third: nobody holds it, but it is there


def test_part_of_a_full_block_is_not_taken_over():
    blocks = Blocks(COUNT, WIDTH)
    written(blocks, text(1, 2))
    assert blocks.lease().adopt(text(1, 2)[:-1]) == BLOCK
    assert blocks.lease().adopt(text(1)[:-1]) == 0


def test_where_a_text_ended_one_other_goes_on():
    blocks = Blocks(COUNT, WIDTH)
    table = written(blocks, [*text(1), 5, 6, 7])
    one, other = blocks.lease(), blocks.lease()
    assert one.adopt([*text(1), 5, 6]) == BLOCK  # it would have to write into what is not its own
    assert one.adopt([*text(1), 5, 6, 7, 8, 9], 0) == BLOCK + 3
    assert one.table[:2].tolist() == table
    assert other.adopt([*text(1), 5, 6, 7, 8, 9]) == BLOCK
    one.reserve(BLOCK + 5)
    one.share([*text(1), 5, 6, 7, 8, 9])
    one.close()
    assert blocks.lease().adopt([*text(1), 5, 6, 7, 8, 9, 1, 2]) == BLOCK + 5


def test_who_has_read_further_does_not_go_back():
    blocks = Blocks(COUNT, WIDTH)
    lease = blocks.lease()
    lease.reserve(6)
    written(blocks, [1, 2, 3])
    assert lease.adopt([1, 2, 3, 4, 5, 6, 7], 5) == 5
    assert lease.adopt([1, 2, 3, 4, 5, 6, 7], 2) == 3
    assert blocks.spare == COUNT - 1


def test_texts_of_other_roots_share_nothing():
    blocks = Blocks(COUNT, WIDTH)
    written(blocks, text(1, 2), root="one")
    assert blocks.lease("other").adopt(text(1, 2)) == 0
    assert blocks.lease("one").adopt(text(1, 2)) == 2 * BLOCK


def test_what_was_unused_for_longest_goes_first_and_ends_before_beginnings():
    blocks = Blocks(4, WIDTH)
    written(blocks, text(1, 2))
    written(blocks, text(3, 4))
    lease = blocks.lease()
    lease.reserve(BLOCK)
    assert blocks.lease().adopt(text(1, 2)) == BLOCK  # its end is gone, its beginning is held now
    assert blocks.lease().adopt(text(3, 4)) == 2 * BLOCK


def test_two_who_read_the_same_at_once_end_with_one_copy():
    blocks = Blocks(COUNT, WIDTH)
    one, other = blocks.lease(), blocks.lease()
    one.reserve(2 * BLOCK)
    other.reserve(2 * BLOCK)
    one.share(text(1, 2))
    other.share(text(1, 2))
    assert one.table[:2].tolist() == other.table[:2].tolist()
    assert blocks.spare == COUNT - 2


def test_when_all_is_held_there_is_no_more():
    blocks = Blocks(2, WIDTH)
    lease = blocks.lease()
    with pytest.raises(MemoryError):
        lease.reserve(3 * BLOCK)
    lease.close()
    assert blocks.spare == 2


class Cache(RuleBasedStateMachine):
    """Leases over a cache whose contents are remembered: block number to what was written last.

    What a block should hold is all tokens up to its end, since keys depend on those before.
    """

    def __init__(self):
        super().__init__()
        self.blocks = Blocks(COUNT, WIDTH)
        self.contents = {}
        self.open = []  # lease, its tokens, how many were read

    @rule(parts=st.lists(st.integers(1, 3), min_size=1, max_size=WIDTH), less=st.integers(0, 20))
    def begin(self, parts, less):
        lease, tokens = self.blocks.lease(), text(*parts)
        tokens = tokens[: max(len(tokens) - less, 1)]
        self.open.append([lease, tokens, lease.adopt(tokens)])

    @precondition(lambda self: self.open)
    @rule(data=st.data(), count=st.integers(1, 3 * BLOCK))
    def go_on(self, data, count):
        entry = data.draw(st.sampled_from(self.open))
        lease, tokens, read = entry
        read = lease.adopt(tokens, read)
        entry[2] = read
        end = min(read + count, len(tokens))
        try:
            lease.reserve(end)
        except MemoryError:
            return
        for position in range(read, end):
            held = tuple(tokens[: position + 1])
            self.contents[int(lease.table[position // BLOCK]), position % BLOCK] = held
        entry[2] = end
        lease.share(tokens[:end])

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def end(self, data):
        entry = data.draw(st.sampled_from(self.open))
        self.open.remove(entry)
        entry[0].close()

    @invariant()
    def every_text_finds_what_it_read(self):
        for lease, tokens, read in self.open:
            for position in range(read):
                block = int(lease.table[position // BLOCK])
                assert self.contents[block, position % BLOCK] == tuple(tokens[: position + 1])

    @invariant()
    def no_block_is_lost_or_given_twice(self):
        held = {int(block) for lease, _, _ in self.open for block in lease.table[: lease.held]}
        assert len(held) + self.blocks.spare == COUNT
        assert not held & set(self.blocks._free)
        assert not held & set(self.blocks._idle)


Cache.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCache = Cache.TestCase
