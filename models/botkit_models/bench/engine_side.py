"""Our side of the comparison: the engine as the server runs it, asked through its public methods.

So that nothing is flattered, times include what a request pays: the queue, the hand-over between
threads, sampling, and posting tokens to asyncio.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from botkit.completion.chat import ChatCompletionRequest
from botkit.completion.messages import Message
from botkit.errors import CompletionError
from botkit.settings import Settings
from botkit_models.engine.config import EngineConfig
from botkit_models.engine.engine import Continuation
from botkit_models.engine.job import Tokens
from botkit_models.engine.sampling import SamplingParams
from botkit_models.engine.stats import EngineStats
from botkit_models.local.chat import stream_chat
from botkit_models.local.load import load_runtime
from botkit_models.tokenizer import Tokenizer

GREEDY = SamplingParams(temperature=0)
SLOTS = 16


class Arrival(NamedTuple):
    """Tokens that one dispatch brought, and when (seconds of ``perf_counter``)."""

    seconds: float
    tokens: tuple[int, ...]


class EngineSide:
    """An engine of its own, all programs loaded. Use as a context manager.

    Args:
        folder: The serving folder.
        settings: Context and the folder of compiled programs; of slots there are :data:`SLOTS`.

    Raises:
        ModelFileError: The folder is damaged.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        config = EngineConfig(slots=SLOTS, context=settings.context, queue=settings.queue)
        self._runtime = load_runtime(folder, config, settings.compile_cache)
        self._engine = self._runtime.engine
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
    def tokenizer(self) -> Tokenizer:
        """The model's."""
        return self._runtime.tokenizer

    @property
    def stats(self) -> EngineStats:
        """The engine's counters."""
        return self._engine.stats

    def chat_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a conversation, the assistant going on where it was cut short."""
        continuing = messages[-1].role == "assistant"
        return self._runtime.prompts.of_chat(messages, continuing=continuing)

    def read(self, tokens: Sequence[int]) -> float:
        """Seconds to read ``tokens`` and draw the first token of a reply."""
        began = time.perf_counter()
        (stream,) = self.write([tokens], 1, [GREEDY])
        if not stream:
            raise CompletionError("the model had nothing to reply")
        return stream[0].seconds - began

    def write(
        self, prompts: Sequence[Sequence[int]], most: int, params: Sequence[SamplingParams]
    ) -> list[list[Arrival]]:
        """Continue ``prompts`` at the same time by up to ``most`` tokens, each drawn in its way."""
        pairs = zip(prompts, params, strict=True)
        return self._loop.run(self._write([Continuation(*pair, most) for pair in pairs]))

    def answer(self, messages: list[dict[str, str]], most: int) -> tuple[float, str]:
        """Seconds until a greedy reply to a conversation begins to show, and the reply."""
        request = ChatCompletionRequest.model_validate(
            {
                "model": self._runtime.name,
                "messages": messages,
                "max_tokens": most,
                "temperature": 0,
            }
        )
        return self._loop.run(self._answer(request))

    async def _answer(self, request: ChatCompletionRequest) -> tuple[float, str]:
        began, seen, text = time.perf_counter(), 0.0, ""
        async with aclosing(stream_chat(self._runtime, request)) as chunks:
            async for chunk in chunks:
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
                seen = seen or (time.perf_counter() - began if text else 0.0)
        if not text:
            raise CompletionError("the model had nothing to reply")
        return seen, text

    async def _write(self, wanted: Sequence[Continuation]) -> list[list[Arrival]]:
        streams: list[list[Arrival]] = [[] for _ in wanted]
        async with self._engine.generate(wanted) as events:
            async for index, event in events:
                if isinstance(event, Tokens):
                    ids = tuple(token.id for token in event.tokens)
                    streams[index].append(Arrival(time.perf_counter(), ids))
        return streams


def tokens_of(stream: Sequence[Arrival]) -> list[int]:
    """All tokens of a stream."""
    return [token for arrival in stream for token in arrival.tokens]


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
