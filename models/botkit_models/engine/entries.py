"""What each reply brings to a dispatch, and which replies share one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botkit.errors import CompletionError
from botkit_models.engine.batch import Entry
from botkit_models.engine.constraint import failure_of
from botkit_models.engine.job import GenerateJob
from botkit_models.engine.slot import Slot
from botkit_models.panics import is_failure


def entries_of(
    slots: Sequence[Slot], rows: int
) -> tuple[list[Entry], list[tuple[Slot, CompletionError]]]:
    """One entry per slot, with as many guesses as fit in ``rows`` when every slot has a row.

    Returns them, and the slots whose constraint can go on no more, with what it says.
    """
    spare = max(rows - len(slots), 0)
    entries: list[Entry] = []
    failed: list[tuple[Slot, CompletionError]] = []
    for slot in slots:
        try:
            entry = _entry(slot, spare)
        except BaseException as error:
            if not is_failure(error):
                raise
            failed.append((slot, failure_of(error)))
            continue
        spare -= len(entry.drafts)
        entries.append(entry)
    return entries, failed


def groups(entries: Sequence[Entry], sizes: Sequence[int]) -> Iterator[tuple[Sequence[Entry], int]]:
    """Entries that run together, with the size of their program; ``sizes`` ascend from 1."""
    if not entries:
        return
    group: list[Entry] = []
    rows = 0
    for entry in entries:
        if rows + entry.rows > sizes[-1]:
            yield group, _fitting(rows, sizes)
            group, rows = [], 0
        group.append(entry)
        rows += entry.rows
    yield group, _fitting(rows, sizes)


def _entry(slot: Slot, spare: int) -> Entry:
    assert isinstance(slot.job, GenerateJob)
    constraint = slot.job.constraint
    # The last token of a budget needs no guess, nor is there a place in the history for it.
    room = min(spare, slot.budget - 1, len(slot.tokens) - slot.count)
    drafts: Sequence[int] = ()
    if room > 0 and constraint is not None:
        drafts = constraint.forced()[:room]
    # Checking guesses takes longer than writing one token, and somebody waits for the first.
    if room > 0 and not drafts and slot.drafter is not None and not slot.fresh:
        drafts = slot.drafter.draft(slot.tokens[: slot.count], room)
    if constraint is None:
        return Entry(slot, tuple(drafts))
    masks = constraint.masks(drafts)
    return Entry(slot, tuple(drafts[: len(masks) - 1]), masks)


def _fitting(rows: int, sizes: Sequence[int]) -> int:
    return next(size for size in sizes if size >= rows)
