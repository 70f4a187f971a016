"""How fast answers come that quote what is in the prompt, as support answers do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle

from botkit.completion.messages import AssistantMessage, Message, UserMessage
from botkit_models.bench.contest import Contest
from botkit_models.bench.engine_side import GREEDY, EngineSide
from botkit_models.bench.row import Bound, Row
from botkit_models.bench.support import ARTICLES
from botkit_models.bench.writing import Task, Writing

QUOTING = Bound("least", 1.2, of="ratio", aim=2.0)
REPLY = 96
RUN = 4
ASKED = "Repeat the following article exactly, word for word:\n\n"
BEGUN = 'Our help page says: "'


def quoting_rows(contest: Contest) -> list[Row]:
    """One reply at a time, greedy, to people who are shown a help page."""
    engine = contest.engine
    writing = Writing(engine, _tasks(engine))

    def tell() -> str:
        quoted = [
            quoted_share(prompt, reply)
            for task, replies in writing.done
            for prompt, reply in zip(task.prompts, replies, strict=True)
        ]
        return (
            "a help page in the prompt, the answer begun with its title and written greedily, "
            f"{sum(quoted) / len(quoted):.0%} of it quoted; {writing.guesses()}; llama.cpp takes "
            "the same tokens undrawn"
        )

    name = "decode, one stream, answers that quote a help page"
    return [contest.row(name, writing.ours, writing.theirs, QUOTING, tell)]


def question(article: str) -> list[Message]:
    """A chat that ends in the beginning of the answer."""
    title, _, _ = article.partition(". ")
    return [
        UserMessage(role="user", content=ASKED + article),
        AssistantMessage(role="assistant", content=f"{BEGUN}{title}."),
    ]


def quoted_share(prompt: Sequence[int], reply: Sequence[int]) -> float:
    """The part of a reply's tokens within runs of :data:`RUN` that the prompt has too, 0 to 1."""
    known = set(_runs(prompt))
    quoted = {
        start + place
        for start, run in enumerate(_runs(reply))
        if run in known
        for place in range(RUN)
    }
    return len(quoted) / max(len(reply), 1)


def _runs(tokens: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple(tokens[start : start + RUN]) for start in range(len(tokens) - RUN + 1)]


def _tasks(engine: EngineSide) -> Iterator[Task]:
    for article in cycle(ARTICLES):
        prompt = engine.chat_prompt(question(article))[: engine.limit - 1]
        yield Task([prompt], [GREEDY], min(REPLY, engine.limit - len(prompt)))
