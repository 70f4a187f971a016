"""Replies as the arrays that a decode program takes: a row each, and one per guessed token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from jax import Array
from numpy.typing import NDArray

from botkit_models.engine.job import GenerateJob
from botkit_models.engine.sampling import MAX_BIASES, SamplingBatch, SamplingParams
from botkit_models.engine.slot import Slot
from botkit_models.engine.steps import Rows

IDLE = SamplingParams(temperature=0.0)
ANY = -1  # every bit of a mask


@dataclass(frozen=True)
class Entry:
    """A reply's part in a dispatch.

    Fields:
        slot: The reply.
        drafts: Tokens that are guessed to come next; each is a row.
        masks: What may be drawn in each row, ``[1 + drafts, ceil(V / 32)]`` int32; None for all.
    """

    slot: Slot
    drafts: tuple[int, ...] = ()
    masks: NDArray[np.int32] | None = None

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return 1 + len(self.drafts)

    @property
    def params(self) -> SamplingParams:
        """How its tokens are drawn."""
        assert isinstance(self.slot.job, GenerateJob)
        return self.slot.job.params


def rows_of(entries: Sequence[Entry], size: int, steps: int, width: int) -> Rows:
    """The rows of a dispatch of ``size`` rows and ``steps`` tokens each.

    The rest is padding. Tables are cut to ``width`` blocks.
    """
    context = len(entries[0].slot.tokens)
    token, position, quota, slots = (np.zeros(size, np.int32) for _ in range(4))
    history = np.zeros((size, context), np.int32)
    tables = np.zeros((size, width), np.int32)
    row = 0
    for entry in entries:
        slot, first = entry.slot, row
        for place, draft in enumerate((slot.tokens[slot.count - 1], *entry.drafts)):
            token[row], position[row], slots[row] = draft, slot.count - 1 + place, first
            quota[row] = 1 if entry.masks is not None else min(slot.budget, steps)
            history[row] = slot.tokens
            history[row, slot.count : slot.count + place] = entry.drafts[:place]
            tables[row] = slot.lease.table[:width]
            row += 1
    return Rows(*map(_host, (token, position, quota, history, slots, tables)))


def sampling_of(entries: Sequence[Entry], size: int, vocab_size: int) -> SamplingBatch:
    """The sampling parameters of every row; padding is greedy."""
    params = [entry.params for entry in entries for _ in range(entry.rows)]
    prompts = [len(entry.slot.job.text) for entry in entries for _ in range(entry.rows)]
    rest = size - len(params)
    params, prompts = params + [IDLE] * rest, prompts + [0] * rest
    ids = np.full((size, MAX_BIASES), vocab_size, np.int32)
    values = np.zeros((size, MAX_BIASES), np.float32)
    for row, one in enumerate(params):
        for place, (token, bias) in enumerate(one.logit_bias):
            ids[row, place], values[row, place] = token, bias
    seeds = [(one.seed >> 32, one.seed & 0xFFFFFFFF) for one in params]
    return SamplingBatch(
        temperature=_float32([one.temperature for one in params]),
        top_p=_float32([one.top_p for one in params]),
        top_k=_int32([min(one.top_k, vocab_size) for one in params]),
        min_p=_float32([one.min_p for one in params]),
        frequency_penalty=_float32([one.frequency_penalty for one in params]),
        presence_penalty=_float32([one.presence_penalty for one in params]),
        repetition_penalty=_float32([one.repetition_penalty for one in params]),
        seed=_host(np.array(seeds, np.uint32)),
        bias_ids=_host(ids),
        bias_values=_host(values),
        prompt_length=_int32(prompts),
        logprobs=_host(np.array([one.top_logprobs is not None for one in params])),
    )


def masks_of(entries: Sequence[Entry], size: int, vocab_size: int) -> Array:
    """What every row may draw, ``[size, ceil(V / 32)]`` int32."""
    masks = np.full((size, mask_width(vocab_size)), ANY, np.int32)
    row = 0
    for entry in entries:
        if entry.masks is not None:
            masks[row : row + entry.rows] = entry.masks
        row += entry.rows
    return _host(masks)


def adapters_of(entries: Sequence[Entry], size: int) -> Array:
    """Which adapter every row has, ``[size]`` int32; each entry's job has one."""
    ids = [entry.slot.job.adapter or 0 for entry in entries for _ in range(entry.rows)]
    return _int32(ids + [0] * (size - len(ids)))


def mask_width(vocab_size: int) -> int:
    """Words of a mask."""
    return -(-vocab_size // 32)


def _int32(values: Sequence[int]) -> Array:
    return _host(np.array(values, np.int32))


def _float32(values: Sequence[float]) -> Array:
    return _host(np.array(values, np.float32))


def _host(array: NDArray[np.generic]) -> Array:
    """A compiled program takes host arrays as they are; moving them first would only cost time."""
    return cast(Array, array)
