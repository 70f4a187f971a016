"""Replies that the engine draws and llama.cpp then takes, token by token, as if it had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from botkit_models.bench.engine_side import EngineSide, decode_rate, tokens_of
from botkit_models.bench.llama import LlamaSide
from botkit_models.engine.sampling import SamplingParams


@dataclass(frozen=True)
class Task:
    """What to write at the same time: prompts, how to draw each reply, its tokens at most."""

    prompts: Sequence[Sequence[int]]
    params: Sequence[SamplingParams]
    most: int


class Writing:
    """Does one task after the other.

    Args:
        engine: Ours.
        tasks: Another one for each turn, so that nothing has been read or written before.
    """

    def __init__(self, engine: EngineSide, tasks: Iterator[Task]) -> None:
        self._engine, self._tasks = engine, tasks
        self._before = replace(engine.stats)
        self.done: list[tuple[Task, list[list[int]]]] = []

    def ours(self) -> float:
        """Tokens per second of all replies together, while all are being written."""
        task = next(self._tasks)
        streams = self._engine.write(task.prompts, task.most, task.params)
        self.done.append((task, [tokens_of(stream) for stream in streams]))
        return decode_rate(streams)

    def guesses(self) -> str:
        """How much of all that was guessed ahead, in words."""
        now, before = self._engine.stats, self._before
        accepted, drafted = now.accepted - before.accepted, now.drafted - before.drafted
        tokens = sum(len(reply) for _, replies in self.done for reply in replies)
        return f"{accepted / tokens:.0%} guessed ahead ({accepted} right of {drafted} guesses)"

    def theirs(self, llama: LlamaSide) -> float:
        """Tokens per second over the same replies after the same prompts."""
        task, replies = self.done[-1]
        return sum(map(len, replies)) / llama.decode(task.prompts, replies)
