"""Running compiled programs on slots: one prompt chunk, or a few tokens of several replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from botkit_models.config import DecoderConfig
from botkit_models.engine.batch import rows_of, sampling_of
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.grouping import groups
from botkit_models.engine.job import (
    EmbedJob,
    Event,
    Finished,
    GenerateJob,
    Hidden,
    Job,
    Scored,
    ScoreJob,
    Token,
    Tokens,
)
from botkit_models.engine.memory import return_memory
from botkit_models.engine.programs import Programs
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.slot import Slot, chunk_plan
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.steps import Steps, Written


class Runner:
    """Moves slots forward. Used by the engine's thread alone."""

    def __init__(
        self,
        steps: Steps,
        programs: Programs,
        config: EngineConfig,
        model: DecoderConfig,
        stats: EngineStats,
    ) -> None:
        self._weights = steps.weights
        self._eos = frozenset(steps.eos_ids)
        self._programs, self._config, self._model, self._stats = programs, config, model, stats
        self._idle: list[Slot] = []

    def open(self, job: Job, beside: Sequence[Slot] = ()) -> Slot:
        """A slot for ``job``, with room for its text and the first tokens of its reply.

        Its caches are as long as those of the slots ``beside`` it, which it will share programs
        with.
        """
        generate = isinstance(job, GenerateJob)
        # The last token of a prompt is not read ahead: decoding starts with it.
        count = len(job.text) - 1 if generate else len(job.text)
        chunks = chunk_plan(count, self._config.prefill_chunks)
        length = self._length_for(max(sum(chunks), len(job.text) + self._config.decode_steps))
        length = max(length, *(slot.length for slot in beside), 0)
        tokens = np.zeros(length, np.int32)
        tokens[: len(job.text)] = job.text
        return Slot(
            job=job,
            chunks=chunks,
            caches=self._programs.empty(length)(),
            tokens=tokens,
            count=len(job.text),
            budget=job.budget if isinstance(job, GenerateJob) else 0,
        )

    def prefill(self, slot: Slot) -> list[Event]:
        """Read the slot's next prompt chunk."""
        size = slot.chunks.pop()
        valid = min(size, slot.count - slot.read)
        chunk = np.zeros(size, np.int32)
        chunk[:valid] = slot.tokens[slot.read : slot.read + valid]
        program = self._programs.prefill(size, slot.length)
        slot.caches, hidden = program(self._weights, slot.caches, chunk, np.int32(slot.read))
        first, slot.read = slot.read, slot.read + valid
        self._stats.prefill_dispatches += 1
        self._stats.prompt_tokens += valid
        if isinstance(slot.job, EmbedJob):
            return self._pool(slot, np.asarray(hidden)[:valid])
        if isinstance(slot.job, ScoreJob):
            return self._score(slot, slot.job, hidden, first, valid)
        hidden.block_until_ready()
        return []

    def rest(self) -> None:
        """Give memory back: nothing is running."""
        self._idle = []
        return_memory()

    def decode(self, slots: Sequence[Slot]) -> list[tuple[Slot, list[Event]]]:
        """Write a few tokens for each of ``slots``."""
        if not slots:
            return []
        length = self._make_room(slots)
        pad = length <= self._config.padded_length
        results: list[tuple[Slot, list[Event]]] = []
        first = 0
        sizes = self._programs.batch_sizes(length) if len(slots) > 1 else (1,)
        for replies, rows in groups(len(slots), sizes, pad=pad):
            results += self._decode(slots[first : first + replies], rows, length)
            first += replies
        return results

    def _decode(
        self, slots: Sequence[Slot], size: int, length: int
    ) -> list[tuple[Slot, list[Event]]]:
        """One dispatch of the program for ``size`` replies with caches of ``length``."""
        idle = self._idle_rows(size - len(slots), length)
        rows = [*slots, *idle]
        program = self._programs.decode(size, length)
        self._idle = []  # a dispatch that fails takes their caches along
        caches, written = program(
            self._weights,
            [row.caches for row in rows],
            rows_of(rows),
            sampling_of(rows, self._model.vocab_size),
            np.int32(self._config.decode_steps),
        )
        for row, cache in zip(rows, caches, strict=True):
            row.caches = cache
        self._idle = idle
        host = jax.device_get(written)
        self._stats.decode_dispatches += 1
        return [(slot, self._collect(slot, host, row)) for row, slot in enumerate(slots)]

    def _idle_rows(self, count: int, length: int) -> list[Slot]:
        """Rows that fill up a batch and write nothing."""
        if any(row.length != length for row in self._idle):
            self._idle.clear()
        while len(self._idle) < count:
            job = GenerateJob((0,), _ignore, params=SamplingParams(temperature=0.0), budget=0)
            caches = self._programs.empty(length)()
            self._idle.append(Slot(job, [], caches, np.zeros(length, np.int32), count=1))
        return self._idle[:count]

    def _collect(self, slot: Slot, written: Written, row: int) -> list[Event]:
        """Take a row's new tokens into its slot."""
        job = slot.job
        top = job.params.top_logprobs if isinstance(job, GenerateJob) else None
        new: list[Token] = []
        for step, token in enumerate(written.token[:, row].tolist()):
            if token < 0:
                break
            slot.append(token)
            new.append(_token(token, top, written, step, row))
        slot.read = slot.count - 1
        self._stats.reply_tokens += len(new)
        events: list[Event] = [Tokens(tuple(new))] if new else []
        if new and new[-1].id in self._eos:
            events.append(Finished("stop"))
        elif slot.budget <= 0:
            events.append(Finished("length"))
        return events

    def _pool(self, slot: Slot, hidden: NDArray[np.float32]) -> list[Event]:
        # On the host: a device operation would be compiled anew for every length.
        slot.total = slot.total + hidden.sum(axis=0, dtype=np.float64)  # E
        return [] if slot.chunks else [Hidden(slot.total.astype(np.float32))]

    def _score(
        self, slot: Slot, job: ScoreJob, hidden: jax.Array, first: int, valid: int
    ) -> list[Event]:
        """Score the token after each position that was just read."""
        size = hidden.shape[0]
        targets = np.zeros(size, np.int32)
        following = slot.tokens[first + 1 : min(first + 1 + valid, slot.count)]
        targets[: len(following)] = following
        program = self._programs.score(size)
        parts: Any = [np.asarray(part) for part in program(self._weights, hidden, targets)]
        logprobs, top_ids, top_logprobs = parts
        for place, token in enumerate(following.tolist()):
            pairs = zip(
                top_ids[place, : job.top].tolist(),
                top_logprobs[place, : job.top].tolist(),
                strict=True,
            )
            slot.scored.append(Token(token, float(logprobs[place]), tuple(pairs)))
        return [] if slot.chunks else [Scored(tuple(slot.scored))]

    def _make_room(self, slots: Sequence[Slot]) -> int:
        """Give all slots caches of one length that holds the next tokens of each.

        One length at a time keeps the number of programs in use small.
        """
        steps = self._config.decode_steps
        length = self._length_for(max(slot.count + min(steps, slot.budget) for slot in slots))
        length = max(length, *(slot.length for slot in slots))
        for slot in slots:
            while slot.length < length:
                slot.caches = self._programs.grow(slot.length)(slot.caches)
                slot.tokens = np.concatenate([slot.tokens, np.zeros_like(slot.tokens)])
        return length

    def _length_for(self, count: int) -> int:
        lengths = self._config.cache_lengths
        return next((length for length in lengths if length >= count), lengths[-1])


def _token(token: int, top: int | None, written: Written, step: int, row: int) -> Token:
    if top is None:
        return Token(token)
    ids = written.top_ids[step, row, :top].tolist()
    logprobs = written.top_logprobs[step, row, :top].tolist()
    return Token(token, float(written.logprob[step, row]), tuple(zip(ids, logprobs, strict=True)))


def _ignore(event: Event) -> None:
    """An idle row has nobody to tell."""
