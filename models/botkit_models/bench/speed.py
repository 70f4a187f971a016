"""How fast the engine reads and writes, beside llama.cpp."""

from __future__ import annotations

from collections.abc import Callable

from botkit_models.bench.engine_side import EngineSide, decode_rate
from botkit_models.bench.llama import LlamaSide
from botkit_models.bench.measure import Turn, alternate, disturbance, median, spread
from botkit_models.bench.row import Bound, Row

PREFILL = Bound("least", 1.5, of="ratio")
DECODE = Bound("least", 0.45, of="ratio")
READ, PROMPT, REPLY, STREAMS = 256, 64, 64, 4
UNIT = "tokens/s"
REFERENCE = "llama.cpp"
TEXT = """The ferry to the islands leaves at seven in the morning and again at noon. Most visitors
take the early one, because the harbour is quiet then and the light is good. Bring a coat, even in
summer: the wind on deck is colder than it looks from the quay. On the way back the captain stops
near the old lighthouse, where seals rest on the rocks, and tells how his grandfather lit the lamp
every evening for thirty years, in fog and in snow, without missing a single night. """


def speed_rows(
    engine: EngineSide, llama: LlamaSide | None, repeats: int, missing: str
) -> list[Row]:
    """Prefill, one stream, several streams.

    Args:
        llama: None without llama.cpp.
        missing: Why there is none; for the notes.
    """
    return [
        _prefill(engine, llama, repeats, missing),
        _decode(engine, llama, repeats, missing),
        _streams(engine, repeats),
    ]


def plain_text(engine: EngineSide, count: int) -> list[int]:
    """``count`` tokens of ordinary English."""
    ids = engine.tokenizer.encode(TEXT)
    return (ids * (count // len(ids) + 1))[:count]


def _prefill(engine: EngineSide, llama: LlamaSide | None, repeats: int, missing: str) -> Row:
    tokens = plain_text(engine, min(READ, engine.limit))
    sides = [lambda: len(tokens) / engine.prefill(tokens)]
    if llama is not None:
        sides.append(lambda: len(tokens) / llama.prefill(tokens))
    return _row(f"prefill of {len(tokens)} tokens", _turns(sides, repeats, llama), PREFILL, missing)


def _decode(engine: EngineSide, llama: LlamaSide | None, repeats: int, missing: str) -> Row:
    prompt, count = _sizes(engine)
    reply = [token for arrival in engine.write([prompt], count)[0] for token in arrival.tokens]
    sides = [lambda: decode_rate(engine.write([prompt], count))]
    if llama is not None:
        sides.append(lambda: len(reply) / llama.decode(prompt, reply))
    name = f"decode, one stream, positions {len(prompt)} to {len(prompt) + len(reply)}"
    return _row(name, _turns(sides, repeats, llama), DECODE, missing)


def _streams(engine: EngineSide, repeats: int) -> Row:
    prompt, count = _sizes(engine)
    # One token less each, so that the streams do not write the same reply.
    prompts = [prompt[: len(prompt) - number] for number in range(min(STREAMS, engine.slots))]
    turns = alternate([lambda: decode_rate(engine.write(prompts, count))], repeats)
    name = f"decode, {len(prompts)} streams, all together"
    return _row(name, turns, None, "")


def _sizes(engine: EngineSide) -> tuple[list[int], int]:
    """Prompt and most tokens of the reply; half of each where the context is short."""
    prompt = min(PROMPT, engine.limit // 2)
    return plain_text(engine, prompt), min(REPLY, engine.limit - prompt)


def _turns(sides: list[Callable[[], float]], repeats: int, llama: LlamaSide | None) -> list[Turn]:
    return alternate(sides, repeats, [] if llama is None else [llama.pid])


def _row(name: str, turns: list[Turn], bound: Bound | None, missing: str) -> Row:
    ours, *others = zip(*(turn.figures for turn in turns), strict=True)
    busy = max(turn.others for turn in turns)
    note = f"botkit {spread(ours)}"
    if not others:
        note += f"; {missing}" if missing else ""
        note += disturbance(busy)
        return Row(name, UNIT, median(ours), bound=bound, note=note, others=busy)
    theirs = others[0]
    note += f"; {REFERENCE} {spread(theirs)}{disturbance(busy)}"
    return Row(name, UNIT, median(ours), median(theirs), REFERENCE, bound, note, busy)
