"""How fast the engine reads and writes ordinary text, beside llama.cpp."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from botkit_models.bench.contest import Contest
from botkit_models.bench.engine_side import EngineSide
from botkit_models.bench.llama import LlamaSide
from botkit_models.bench.row import Bound, Row
from botkit_models.bench.writing import Task, Writing
from botkit_models.engine.sampling import SamplingParams

PREFILL = Bound("least", 2.0, of="ratio", aim=3.0)
DECODE = Bound("least", 0.7, of="ratio", aim=1.2)
TOGETHER = Bound("least", 1.3, of="ratio", aim=2.0)
READ = (256, 1024)
STREAMS = (8, 16)
PROMPT, REPLY = 64, 64
TEXT = """The ferry to the islands leaves at seven in the morning and again at noon. Most visitors
take the early one, because the harbour is quiet then and the light is good. Bring a coat, even in
summer: the wind on deck is colder than it looks from the quay. On the way back the captain stops
near the old lighthouse, where seals rest on the rocks, and tells how his grandfather lit the lamp
every evening for thirty years, in fog and in snow, without missing a single night. """
HOW = "drawn at temperature 1, each with a seed of its own; llama.cpp takes the same tokens undrawn"


def prefill_rows(contest: Contest) -> list[Row]:
    """Reading a prompt that nothing of is known yet, up to the first token of the reply."""
    return [_prefill(contest, length) for length in READ]


def decode_rows(contest: Contest) -> list[Row]:
    """One reply at a time."""
    prompt, most = _sizes(contest.engine)
    name = f"decode, one stream, positions {prompt} to {prompt + most}"
    return [_write(contest, name, 1, DECODE)]


def stream_rows(contest: Contest) -> list[Row]:
    """Several replies at the same time."""
    return [
        _write(contest, f"decode, {number} streams, all together", number, TOGETHER)
        for number in STREAMS
    ]


def plain_text(engine: EngineSide, number: int, length: int) -> list[int]:
    """``length`` tokens of ordinary English that begin like no text of another number."""
    ids = engine.tokenizer.encode(TEXT)
    return (engine.tokenizer.encode(f"{number}. ") + ids * (length // len(ids) + 1))[:length]


def _prefill(contest: Contest, length: int) -> Row:
    engine = contest.engine
    length = min(length, engine.limit - 1)
    texts = (plain_text(engine, number, length) for number in count())
    text: list[int] = []

    def ours() -> float:
        text[:] = next(texts)
        return length / engine.read(text)

    def theirs(llama: LlamaSide) -> float:
        return length / llama.prefill(text)

    return contest.row(f"prefill of {length} tokens", ours, theirs, PREFILL)


def _write(contest: Contest, name: str, streams: int, bound: Bound) -> Row:
    writing = Writing(contest.engine, _tasks(contest.engine, streams))

    def tell() -> str:
        return f"{HOW}; {writing.guesses()}"

    return contest.row(name, writing.ours, writing.theirs, bound, tell)


def _tasks(engine: EngineSide, streams: int) -> Iterator[Task]:
    """Texts to go on with; what would end a reply is never drawn, so that all are equally long."""
    prompt, most = _sizes(engine)
    bias = tuple((id, -100.0) for id in engine.tokenizer.eos_ids)
    for first in count(step=streams):
        numbers = range(first, first + streams)
        prompts = [plain_text(engine, number, prompt) for number in numbers]
        params = [SamplingParams(seed=number, logit_bias=bias) for number in numbers]
        yield Task(prompts, params, most)


def _sizes(engine: EngineSide) -> tuple[int, int]:
    """Prompt and reply in tokens; half of each where the context is short."""
    prompt = min(PROMPT, engine.limit // 2)
    return prompt, min(REPLY, engine.limit - prompt)
