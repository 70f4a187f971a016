"""A reply's new tokens in what a decode dispatch wrote."""

from __future__ import annotations

from collections.abc import Collection

from botkit_models.engine.batch import Entry
from botkit_models.engine.job import Token
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.steps import Written


def tokens_of(entry: Entry, written: Written, row: int, eos_ids: Collection[int]) -> list[Token]:
    """The tokens that count of the entry whose rows begin at ``row``."""
    return [
        _token(entry.params, written, step, place)
        for step, place in _places(entry, written, row, eos_ids)
    ]


def _places(
    entry: Entry, written: Written, row: int, eos_ids: Collection[int]
) -> list[tuple[int, int]]:
    """Where they are, as ``(step, row)``."""
    if not entry.drafts:
        column = written.token[:, row]
        return [(step, row) for step in range(len(column)) if column[step] >= 0]
    places = [(0, row)]
    for number, draft in enumerate(entry.drafts):
        token = int(written.token[0, row + number])
        if token != draft or token in eos_ids:
            break
        places.append((0, row + number + 1))
    return places


def _token(params: SamplingParams, written: Written, step: int, row: int) -> Token:
    id, top = int(written.token[step, row]), params.top_logprobs
    if top is None:
        return Token(id)
    ids = written.top_ids[step, row, :top].tolist()
    logprobs = written.top_logprobs[step, row, :top].tolist()
    return Token(id, float(written.logprob[step, row]), tuple(zip(ids, logprobs, strict=True)))
