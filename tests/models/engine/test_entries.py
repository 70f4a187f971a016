"""What replies bring to a dispatch: a row each, and guesses where there is room for them."""

from dataclasses import replace

import numpy as np
from queued_jobs import a_job

from botkit_models.engine.blocks import Blocks
from botkit_models.engine.corpus import Corpus
from botkit_models.engine.drafts import Drafter
from botkit_models.engine.entries import entries_of
from botkit_models.engine.slot import Slot

QUOTE = (11, 12, 13, 14, 15, 16)
TEXT = (*QUOTE, 99, 11, 12)


class Forcing:
    """A grammar that allows one text alone."""

    def __init__(self, *ids):
        self.ids = ids

    def forced(self):
        return self.ids

    def masks(self, drafts):
        return np.full((1 + len(drafts), 4), -1, np.int32)


def slot_of(text=TEXT, constraint=None):
    job = replace(a_job(budget=20), text=text, constraint=constraint)
    tokens = np.zeros(64, np.int32)
    tokens[: len(text)] = text
    lease = Blocks(4, 4).lease()
    return Slot(job, lease, tokens, len(text), budget=20, drafter=Drafter(Corpus(), 7))


def drafts_of(slot, rows=8):
    (entry,), failed = entries_of([slot], rows)
    assert failed == []
    return entry.drafts


def test_a_first_token_does_not_wait_for_guesses():
    slot = slot_of()
    assert drafts_of(slot) == ()
    slot.append([13])
    assert drafts_of(slot) == (14, 15, 16, 99, 11, 12, 13)


def test_what_a_grammar_forces_is_no_guess():
    slot = slot_of(constraint=Forcing(1, 2, 3))
    assert drafts_of(slot) == (1, 2, 3)


def test_guesses_take_the_rows_that_are_left():
    slots = [slot_of(), slot_of(), slot_of()]
    for slot in slots:
        slot.append([13])
    entries, _ = entries_of(slots, 8)
    assert [len(entry.drafts) for entry in entries] == [5, 0, 0]
    slots[0].budget = 3
    entries, _ = entries_of(slots, 8)
    assert [len(entry.drafts) for entry in entries] == [2, 3, 0]
