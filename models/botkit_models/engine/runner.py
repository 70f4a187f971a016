"""Running compiled programs on slots: one prompt chunk, or a few tokens of several replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
from numpy.typing import NDArray

from botkit_models.engine.batch import Entry, adapters_of, masks_of, rows_of, sampling_of
from botkit_models.engine.blocks import Blocks
from botkit_models.engine.constraint import failure_of
from botkit_models.engine.corpus import Corpus
from botkit_models.engine.drafts import Drafter
from botkit_models.engine.drawn import tokens_of
from botkit_models.engine.entries import entries_of, groups
from botkit_models.engine.job import (
    EmbedJob,
    Event,
    Failed,
    Finished,
    GenerateJob,
    Hidden,
    Job,
    Scored,
    ScoreJob,
    Token,
    Tokens,
)
from botkit_models.engine.plan import Plan
from botkit_models.engine.programs import Programs
from botkit_models.engine.room import return_memory
from botkit_models.engine.shelf import Program
from botkit_models.engine.slot import Slot
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.steps import Steps, Written
from botkit_models.gpt.block import BLOCK
from botkit_models.gpt.cache import Pool
from botkit_models.gpt.lora import Adapters, Stack
from botkit_models.panics import is_failure


class Runner:
    """Moves slots forward. Used by the engine's thread alone, but for :attr:`held`."""

    def __init__(
        self,
        steps: Steps,
        programs: Programs,
        plan: Plan,
        stats: EngineStats,
        stacks: Sequence[Mapping[str, Stack]] = (),
    ) -> None:
        self._weights, self._stacks = steps.weights, stacks
        self._eos = frozenset(steps.eos_ids)
        self._programs, self._plan, self._stats = programs, plan, stats
        self._corpus = Corpus()
        self._slots: list[Slot] = []
        self._blocks = Blocks(plan.blocks, plan.config.table_width)
        self._pools: list[Pool] | None = None

    @property
    def held(self) -> float:
        """Share of the cache that open slots hold, 0 to 1."""
        return 1.0 - self._blocks.spare / self._blocks.count

    def open(self, job: Job) -> Slot:
        """A slot for ``job``, with what others left in the cache of its text."""
        tokens = np.zeros(self._plan.config.context, np.int32)
        tokens[: len(job.text)] = job.text
        slot = Slot(
            job=job, lease=self._blocks.lease(job.adapter), tokens=tokens, count=len(job.text)
        )
        if isinstance(job, GenerateJob):
            slot.budget = job.budget
            if self._plan.drafts:
                slot.drafter = Drafter(self._corpus, self._plan.drafts)
        self._adopt(slot)
        self._slots.append(slot)
        return slot

    def close(self, slot: Slot) -> None:
        """A slot is over; what it left in the cache may serve others."""
        self._slots.remove(slot)
        slot.lease.close()

    def rest(self) -> None:
        """Give memory back: nothing is running."""
        return_memory()

    def read(self, slot: Slot) -> list[Event]:
        """Read the slot's next prompt chunk."""
        self._adopt(slot)
        if not slot.unread:
            return []
        size = self._chunk(slot)
        first, valid = slot.read, min(size, slot.unread)
        slot.lease.reserve(first + valid)
        tokens, positions = np.zeros(size, np.int32), np.full(size, -1, np.int32)
        tokens[:valid] = slot.tokens[first : first + valid]
        positions[:valid] = np.arange(first, first + valid)
        width = self._width(first + valid)
        adapters = self._adapters(slot, np.full(1, slot.job.adapter or 0, np.int32))
        program = self._at_hand(self._programs.read, size, width, bool(adapters))
        hidden = self._run(program, tokens, positions, slot.lease.table[:width], *adapters)
        slot.read = first + valid
        self._share(slot)
        self._stats.read_dispatches += 1
        self._stats.prompt_tokens += valid
        if isinstance(slot.job, EmbedJob):
            return self._pool(slot, np.asarray(hidden)[:valid])
        if isinstance(slot.job, ScoreJob):
            return self._score(slot, slot.job, hidden, first, valid)
        return []

    def decode(self, slots: Sequence[Slot]) -> Iterator[tuple[Slot, list[Event]]]:
        """Write a few tokens for each of ``slots``; those with adapters by themselves."""
        yield from self._decode_alike([slot for slot in slots if slot.job.adapter is None])
        yield from self._decode_alike([slot for slot in slots if slot.job.adapter is not None])

    def _decode_alike(self, slots: Sequence[Slot]) -> Iterator[tuple[Slot, list[Event]]]:
        """Write for slots of which either all have adapters or none."""
        if not slots:
            return
        steps = 1 if any(slot.fresh for slot in slots) else self._plan.config.decode_steps
        # A grammar may force more tokens than are guessed: as many as a program has rows.
        ahead = max(self._plan.batch_sizes[-1], steps)
        need = max(slot.count for slot in slots) + ahead
        width = self._width(min(need, self._plan.config.context))
        adapted = slots[0].job.adapter is not None
        sizes = self._programs.batch_sizes(width, adapted=adapted)
        whole, failed = entries_of(slots, sizes[-1])
        for slot, error in failed:
            yield slot, [Failed(error)]
        for entries, size in groups(whole, sizes):
            yield from self._decode(entries, size, steps, width)

    def _decode(
        self, entries: Sequence[Entry], size: int, steps: int, width: int
    ) -> list[tuple[Slot, list[Event]]]:
        """One dispatch of the program for ``size`` rows."""
        if any(entry.drafts for entry in entries):
            steps = 1
        for entry in entries:
            ahead = max(min(entry.slot.budget, steps), entry.rows)
            entry.slot.lease.reserve(min(entry.slot.count + ahead, len(entry.slot.tokens)))
        vocab_size = self._plan.model.vocab_size
        adapters = self._adapters(entries[0].slot, adapters_of(entries, size))
        written = self._run(
            self._at_hand(self._programs.decode, size, width, bool(adapters)),
            rows_of(entries, size, steps, width),
            sampling_of(entries, size, vocab_size),
            masks_of(entries, size, vocab_size),
            np.int32(steps),
            *adapters,
        )
        host: Written = jax.device_get(written)
        self._stats.decode_dispatches += 1
        results: list[tuple[Slot, list[Event]]] = []
        row = 0
        for entry in entries:
            results.append((entry.slot, self._collect(entry, host, row)))
            row += entry.rows
        return results

    def _adapters(self, slot: Slot, ids: Any) -> tuple[Adapters, ...]:
        """What a program takes besides, for slots like this one: its adapters, or nothing."""
        return () if slot.job.adapter is None else (Adapters(self._stacks, ids),)

    def _at_hand(
        self, get: Callable[..., Program], size: int, width: int, adapted: bool
    ) -> Program:
        """A program, which may have to be loaded or even compiled first."""
        began = time.monotonic()
        program = get(size, width, adapted=adapted)
        self._stats.preparing += time.monotonic() - began
        return program

    def _run(self, program: Any, *arguments: Any) -> Any:
        """Run a program on the cache; if it fails, all that was in the cache is gone."""
        pools = self._pools
        if pools is None:
            pools = self._programs.pools()()
        self._pools = None
        try:
            # XLA runs beside Python: what fails there is told to whoever waits for the outcome.
            outcome = program(self._weights, pools, *arguments)
            self._pools, result = jax.block_until_ready(outcome)  # type: ignore[no-untyped-call]
        finally:
            if self._pools is None:
                self._blocks = Blocks(self._plan.blocks, self._plan.config.table_width)
        return result

    def _collect(self, entry: Entry, written: Written, row: int) -> list[Event]:
        """Take a reply's new tokens into its slot."""
        slot, job = entry.slot, entry.slot.job
        assert isinstance(job, GenerateJob)
        new = tokens_of(entry, written, row, self._eos)
        ids = [token.id for token in new]
        slot.append(ids)
        self._share(slot)
        self._stats.reply_tokens += len(new)
        self._judge(entry, len(new) - 1)
        events: list[Event] = [Tokens(tuple(new), slot.savings)] if new else []
        try:
            if job.constraint is not None:
                for id in ids:
                    job.constraint.accept(id)
        except BaseException as error:
            if not is_failure(error):
                raise
            return [*events, Failed(failure_of(error))]
        if new and new[-1].id in self._eos:
            events.append(self._finished(slot, "stop"))
        elif slot.budget <= 0:
            events.append(self._finished(slot, "length"))
        return events

    def _judge(self, entry: Entry, accepted: int) -> None:
        if not entry.drafts or entry.slot.drafter is None:
            return
        entry.slot.drafter.judge(len(entry.drafts), accepted)
        self._stats.drafted += len(entry.drafts)
        self._stats.accepted += accepted

    def _finished(self, slot: Slot, reason: Literal["stop", "length"]) -> Finished:
        self._corpus.learn(slot.tokens[len(slot.job.text) : slot.count].tolist())
        return Finished(reason, slot.savings)

    def _pool(self, slot: Slot, hidden: NDArray[np.float32]) -> list[Event]:
        # On the host: a device operation would be compiled anew for every length.
        slot.total = slot.total + hidden.sum(axis=0, dtype=np.float64)  # E
        return [] if slot.unread else [Hidden(slot.total.astype(np.float32))]

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
        return [] if slot.unread else [Scored(tuple(slot.scored))]

    def _adopt(self, slot: Slot) -> None:
        """Take over what is in the cache of the slot's text, if no hidden state of it is asked."""
        if not self._plan.reuse or not isinstance(slot.job, GenerateJob) or not slot.unread:
            return
        reached = slot.lease.adopt(slot.job.text[:-1], slot.read)
        if reached > slot.read:
            slot.cached += reached - slot.read
            self._stats.cached_tokens += reached - slot.read
            slot.read = reached

    def _share(self, slot: Slot) -> None:
        if self._plan.reuse:
            slot.lease.share(slot.tokens[: slot.read])

    def _chunk(self, slot: Slot) -> int:
        """How many tokens to read at once."""
        unread, chunks = slot.unread, self._plan.config.chunks
        small, large = chunks[0], chunks[-1]
        if not self._plan.use_kernels or not isinstance(slot.job, GenerateJob):
            # By the length alone, so that nothing else changes a bit: without kernels other shapes
            # round otherwise, and so do sums of hidden states and log-probabilities. A large chunk
            # costs as much as three or four small ones.
            return large if unread > large // 2 else small
        writing = any(slot.decoding for slot in self._slots)
        return small if writing or unread <= small else large

    def _width(self, positions: int) -> int:
        """Of the narrowest tables that hold so many positions."""
        return next(width for width in self._plan.table_widths if width * BLOCK >= positions)
