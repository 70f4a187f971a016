"""Our side of the comparison: the engine as the server runs it, asked through its public methods.

So that nothing is flattered, times include what a request pays: the queue, the hand-over between
threads, sampling, and posting tokens to asyncio.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from botkit.errors import CompletionError
from botkit.settings import Settings
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Continuation
from botkit_models.engine.job import Tokens
from botkit_models.engine.sampling import SamplingParams
from botkit_models.local.load import load_runtime

GREEDY = SamplingParams(temperature=0)


class Arrival(NamedTuple):
    """Tokens that one dispatch brought, and when (seconds of ``perf_counter``)."""

    seconds: float
    tokens: tuple[int, ...]


class EngineSide:
    """An engine of its own, all programs loaded. Use as a context manager.

    Args:
        folder: The serving folder.
        settings: Slots, context and the folder of compiled programs.

    Raises:
        ModelFileError: The folder is damaged.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        config = EngineConfig(settings.slots, settings.context, settings.queue)
        runtime = load_runtime(folder, config, settings.compile_cache)
        self.tokenizer, self._engine = runtime.tokenizer, runtime.engine
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        self._loop.run(self._engine.start(warm_up=False))
        self._engine.warm_up()  # here and now, not beside what is measured
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.run(self._engine.aclose())
        self._loop.close()

    @property
    def limit(self) -> int:
        """The most tokens of prompt plus reply."""
        return self._engine.limit

    @property
    def slots(self) -> int:
        """How many replies are written at the same time."""
        return self._engine.config.slots

    def prefill(self, tokens: Sequence[int]) -> float:
        """Seconds to read ``tokens``: an embedding request, which reads and does little else."""
        began = time.perf_counter()
        self._loop.run(self._engine.embed([tokens]))
        return time.perf_counter() - began

    def write(self, prompts: Sequence[Sequence[int]], count: int) -> list[list[Arrival]]:
        """Continue ``prompts`` at the same time, greedily, by up to ``count`` tokens each."""
        return self._loop.run(self._write(prompts, count))

    async def _write(self, prompts: Sequence[Sequence[int]], count: int) -> list[list[Arrival]]:
        streams: list[list[Arrival]] = [[] for _ in prompts]
        wanted = [Continuation(prompt, GREEDY, count) for prompt in prompts]
        async with self._engine.generate(wanted) as events:
            async for index, event in events:
                if isinstance(event, Tokens):
                    ids = tuple(token.id for token in event.tokens)
                    streams[index].append(Arrival(time.perf_counter(), ids))
        return streams


def decode_rate(streams: Sequence[Sequence[Arrival]]) -> float:
    """Tokens per second of all streams, while every one of them was being written.

    Counted from the moment the last stream's first tokens were there to the moment the first
    stream's last ones were, so that no prompt is in it.

    Raises:
        CompletionError: The streams were too short to measure.
    """
    began = max((stream[0].seconds for stream in streams if stream), default=0.0)
    ended = min((stream[-1].seconds for stream in streams if stream), default=0.0)
    if ended <= began or not all(streams):
        raise CompletionError("the model ended its reply too early to measure how fast it writes")
    count = sum(
        len(arrival.tokens)
        for stream in streams
        for arrival in stream
        if began < arrival.seconds <= ended
    )
    return count / (ended - began)
