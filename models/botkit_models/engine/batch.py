"""Slots as the arrays that a decode program takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from jax import Array
from numpy.typing import NDArray

from botkit_models.engine.job import GenerateJob
from botkit_models.engine.sampling import MAX_BIASES, SamplingBatch, SamplingParams
from botkit_models.engine.slot import Slot
from botkit_models.engine.steps import Rows


def rows_of(slots: Sequence[Slot]) -> Rows:
    """The state of every slot; all have caches of one length."""
    return Rows(
        token=_int32([slot.tokens[slot.count - 1] for slot in slots]),
        position=_int32([slot.count - 1 for slot in slots]),
        budget=_int32([slot.budget for slot in slots]),
        history=_host(np.stack([slot.tokens for slot in slots])),
    )


def sampling_of(slots: Sequence[Slot], vocab_size: int) -> SamplingBatch:
    """The sampling parameters of every slot."""
    params = [slot.job.params for slot in slots if isinstance(slot.job, GenerateJob)]
    biases = [_biases(one, vocab_size) for one in params]
    return SamplingBatch(
        temperature=_float32([one.temperature for one in params]),
        top_p=_float32([one.top_p for one in params]),
        top_k=_int32([min(one.top_k, vocab_size) for one in params]),
        min_p=_float32([one.min_p for one in params]),
        frequency_penalty=_float32([one.frequency_penalty for one in params]),
        presence_penalty=_float32([one.presence_penalty for one in params]),
        repetition_penalty=_float32([one.repetition_penalty for one in params]),
        seed=_host(
            np.array([(one.seed >> 32, one.seed & 0xFFFFFFFF) for one in params], np.uint32)
        ),
        bias_ids=_host(np.stack([ids for ids, _ in biases])),
        bias_values=_host(np.stack([values for _, values in biases])),
        prompt_length=_int32([len(slot.job.text) for slot in slots]),
        logprobs=_host(np.array([one.top_logprobs is not None for one in params])),
    )


def _biases(
    params: SamplingParams, vocab_size: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    ids = np.full(MAX_BIASES, vocab_size, np.int32)
    values = np.zeros(MAX_BIASES, np.float32)
    for place, (token, bias) in enumerate(params.logit_bias):
        ids[place], values[place] = token, bias
    return ids, values


def _int32(values: Sequence[int]) -> Array:
    return _host(np.array(values, np.int32))


def _float32(values: Sequence[float]) -> Array:
    return _host(np.array(values, np.float32))


def _host(array: NDArray[np.generic]) -> Array:
    """A compiled program takes host arrays as they are; moving them first would only cost time."""
    return cast(Array, array)
