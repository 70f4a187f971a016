"""The engine: a model in this process, asked from asyncio.

A request in eight sentences. Text becomes token ids, and the ids a job with a bounded place in
:class:`WaitingJobs`. The engine's thread takes the job into a slot, with what the cache holds of
its text. The rest of the prompt is read in chunks by a compiled program. From then on the slot
takes part in decode dispatches, each of which draws up to a few tokens per reply on the device.
Every dispatch's tokens are posted to the request's asyncio queue, where they become text. A drawn
end-of-turn token or a spent budget ends the job and frees the slot. Cancelling the request sets a
flag that the thread looks at before it reads and before it writes. Nothing the engine does to one
job can change a bit of another's, as far as :class:`botkit_models.engine.plan.Plan` says ``exact``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from botkit.completion.load import Load
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.constraint import Constraint
from botkit_models.engine.gathering import gather
from botkit_models.engine.job import (
    EmbedJob,
    GenerateJob,
    Hidden,
    Scored,
    ScoreJob,
    Token,
)
from botkit_models.engine.plan import plan_for, steps_for
from botkit_models.engine.programs import Programs
from botkit_models.engine.runner import Runner
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.scheduler import Scheduler
from botkit_models.engine.stats import EngineStats
from botkit_models.engine.stream import EventStream, MakeJob
from botkit_models.engine.terms import ORDINARY, Terms
from botkit_models.engine.waiting import WaitingJobs
from botkit_models.lora.stacked import NO_ADAPTERS, LoraSet
from botkit_models.weights.native import NativeModel

ResultT = TypeVar("ResultT", Hidden, Scored)


@dataclass(frozen=True)
class Continuation:
    """What to write: after ``text`` (token ids, at least one), up to ``budget`` tokens.

    ``constraint`` says what it may contain, or None; ``terms``, how it waits for its turn;
    ``adapter``, which of the engine's adapters writes it, or None.
    """

    text: Sequence[int]
    params: SamplingParams
    budget: int
    constraint: Constraint | None = None
    terms: Terms = ORDINARY
    adapter: int | None = None


class Engine:
    """Generates, embeds and scores token sequences.

    Args:
        model: The opened serving folder; its weights stay mapped.
        config: How large the engine is.
        compiled: Folder where compiled programs are kept, or None to compile them every time.
        adapters: What jobs may ask for by its place among them.
    """

    def __init__(
        self,
        model: NativeModel,
        config: EngineConfig,
        compiled: Path | None = None,
        adapters: LoraSet = NO_ADAPTERS,
    ) -> None:
        self.model, self.config = model, config
        self.stats = EngineStats()
        self.plan = plan_for(model, config)
        steps = steps_for(model, model.tokenizer.eos_ids, self.plan, compiled)
        self.programs = Programs(steps, self.plan, compiled, adapters.shapes)
        self._waiting = WaitingJobs(config.slots, config.queue)
        self._runner = Runner(steps, self.programs, self.plan, self.stats, adapters.stacks)
        self._scheduler = Scheduler(self._runner, self._waiting, config.slots, self.stats)
        self._warm_up = threading.Thread(target=self.warm_up, name="botkit-warm-up", daemon=True)

    @property
    def limit(self) -> int:
        """The most tokens of text plus reply."""
        return self.config.limit(self.model.config)

    @property
    def waiting(self) -> int:
        """How many jobs wait for a slot."""
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether it takes no more requests."""
        return self._waiting.closed

    @property
    def load(self) -> Load:
        """What there is to do now; each number may be a moment older than the others."""
        return Load(
            slots=self.config.slots,
            running=self.stats.active,
            interactive=self._waiting.count("interactive"),
            batch=self._waiting.count("batch"),
            cache=self._runner.held,
            drafted=self.stats.drafted,
            accepted=self.stats.accepted,
            compiled=self.programs.compiled,
        )

    def warm_up(self) -> None:
        """Have every program compiled to disk that is not there; returns when all are loaded."""
        self.programs.load_kept()
        self.programs.warm_up(self.model.folder)
        self.programs.load_kept()

    async def start(self, *, warm_up: bool = True) -> None:
        """Load the first programs and start working; with ``warm_up`` the others are compiled."""
        await asyncio.to_thread(self._start, warm_up)

    async def aclose(self) -> None:
        """Stop after the current dispatch; what has not ended fails."""
        await asyncio.to_thread(self._close)

    @asynccontextmanager
    async def generate(self, wanted: Sequence[Continuation]) -> AsyncIterator[EventStream]:
        """Continue texts, all at the same time.

        Yields a stream of ``(index, event)``: :class:`Tokens` as dispatches end, closing with
        :class:`Finished`. Leaving the context stops what still runs.

        Raises:
            OverloadedError: The queue is full.
            CompletionUnavailableError: The engine is closing.
        """

        def maker(one: Continuation) -> MakeJob:
            return lambda post: GenerateJob(
                tuple(one.text),
                post,
                terms=one.terms,
                params=one.params,
                budget=one.budget,
                constraint=one.constraint,
                adapter=one.adapter,
            )

        async with self._running([maker(one) for one in wanted]) as stream:
            yield stream

    async def embed(
        self,
        texts: Sequence[Sequence[int]],
        terms: Terms = ORDINARY,
        adapter: int | None = None,
    ) -> list[NDArray[np.float32]]:
        """Mean of the normalised hidden states over each text's tokens, ``[E]`` float32 each."""

        def maker(text: Sequence[int]) -> MakeJob:
            return lambda post: EmbedJob(tuple(text), post, terms=terms, adapter=adapter)

        results = await self._all([maker(text) for text in texts], Hidden)
        return [one.total / np.float32(len(text)) for one, text in zip(results, texts, strict=True)]

    async def score(
        self,
        texts: Sequence[Sequence[int]],
        top: int = 0,
        terms: Terms = ORDINARY,
        adapter: int | None = None,
    ) -> list[tuple[Token, ...]]:
        """Per text, the log-probability (nats) of every token after the first, ``top`` others."""

        def maker(text: Sequence[int]) -> MakeJob:
            return lambda post: ScoreJob(tuple(text), post, terms=terms, adapter=adapter, top=top)

        return [one.tokens for one in await self._all([maker(text) for text in texts], Scored)]

    async def _all(self, make: Sequence[MakeJob], kind: type[ResultT]) -> list[ResultT]:
        """Run jobs that post one event each, as many at a time as there are slots."""
        events = await gather(EventStream(make), self._waiting, self.config.slots)
        return [event for event in events if isinstance(event, kind)]

    @asynccontextmanager
    async def _running(self, make: Sequence[MakeJob]) -> AsyncIterator[EventStream]:
        stream = EventStream(make)
        stream.submit(self._waiting)
        try:
            yield stream
        finally:
            stream.close()

    def _start(self, warm_up: bool) -> None:
        self.plan.check_memory()
        for key in self.programs.essential():
            self.programs.load(key)
        self._scheduler.start()
        if warm_up:
            self._warm_up.start()

    def _close(self) -> None:
        self.programs.close()
        self._scheduler.close()
        if self._warm_up.is_alive():
            self._warm_up.join()
