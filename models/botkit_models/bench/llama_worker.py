"""llama.cpp in a process of its own, driven by JSON lines. Imports nothing of botkit.

It runs by its path in whatever interpreter has ``llama_cpp``, and uses that package's bindings of
llama.cpp's own interface (``llama.h``). One request per line on stdin, one answer per line on
stdout; times are measured here, so that the pipe is not in them::

    {"do": "open", "path": FILE, "threads": 2}                 -> {"version": "0.3.36"}
    {"do": "prefill", "tokens": [...]}                         -> {"seconds": 1.2}
    {"do": "decode", "prompts": [[...]], "replies": [[...]]}   -> {"seconds": 0.9}

An answer with ``error`` says what went wrong. The end of stdin ends the process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, TextIO

BATCH = 512  # tokens per call at most: what llama.cpp itself computes at once
LENGTHS = 256  # contexts hold multiples of this, as llama.cpp's caches are looked at
Ids = Sequence[int]


class Entry(NamedTuple):
    """One token of a call: of which sequence, at which position, and whether logits follow."""

    token: int
    sequence: int
    position: int
    logits: bool


class Worker:
    """One opened model; a context for each number of sequences and length that is needed."""

    def __init__(self) -> None:
        self._library: Any = None
        self._model: Any = None
        self._threads = 0
        self._contexts: dict[tuple[int, int], Context] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what ``request`` says."""
        action = request["do"]
        if action == "open":
            return self._open(request["path"], request["threads"])
        if action == "prefill":
            return {"seconds": self._prefill(request["tokens"])}
        if action == "decode":
            return {"seconds": self._decode(request["prompts"], request["replies"])}
        raise ValueError(f"unknown action {action!r}")

    def _open(self, path: str, threads: int) -> dict[str, Any]:
        library = self._library = importlib.import_module("llama_cpp")
        self._threads = threads
        library.llama_backend_init()
        parameters = library.llama_model_default_params()
        self._model = library.llama_model_load_from_file(path.encode(), parameters)
        if not self._model:
            raise ValueError(f"cannot load {path}")
        return {"version": library.__version__}

    def _prefill(self, tokens: Ids) -> float:
        return self._context(1, len(tokens)).prefill(tokens)

    def _decode(self, prompts: Sequence[Ids], replies: Sequence[Ids]) -> float:
        length = max(map(len, prompts)) + max(map(len, replies))
        return self._context(len(prompts), length).decode(prompts, replies)

    def _context(self, sequences: int, length: int) -> Context:
        size = (sequences, -(-length // LENGTHS) * LENGTHS)
        if size not in self._contexts:
            self._contexts[size] = Context(self._library, self._model, self._threads, *size)
        return self._contexts[size]


class Context:
    """Caches of several sequences, ``length`` positions each."""

    def __init__(self, library: Any, model: Any, threads: int, sequences: int, length: int) -> None:
        self._library = library
        parameters = library.llama_context_default_params()
        parameters.n_ctx, parameters.n_seq_max = length * sequences, sequences
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.no_perf = True
        self._context = library.llama_init_from_model(model, parameters)
        if not self._context:
            raise ValueError(f"no context for {sequences} sequences of {length}")
        self._batch = library.llama_batch_init(BATCH, 0, 1)

    def prefill(self, tokens: Ids) -> float:
        """Seconds to read ``tokens`` into an empty cache, with the logits of the last one."""
        self._clear()
        began = time.perf_counter()
        self._read(0, tokens)
        return time.perf_counter() - began

    def decode(self, prompts: Sequence[Ids], replies: Sequence[Ids]) -> float:
        """Seconds to take ``replies`` after ``prompts``, a token of each per call.

        Reading the prompts is not in it, nor is drawing: every call computes the logits that a
        token would be drawn from. A reply that is shorter than others just ends.
        """
        self._clear()
        for sequence, prompt in enumerate(prompts):
            self._read(sequence, prompt)
        began = time.perf_counter()
        for number in range(max(map(len, replies))):
            self._call(
                [
                    Entry(reply[number], sequence, len(prompt) + number, True)
                    for sequence, (prompt, reply) in enumerate(zip(prompts, replies, strict=True))
                    if number < len(reply)
                ]
            )
        return time.perf_counter() - began

    def _clear(self) -> None:
        library = self._library
        library.llama_memory_clear(library.llama_get_memory(self._context), False)

    def _read(self, sequence: int, tokens: Ids) -> None:
        last = len(tokens) - 1
        for first in range(0, len(tokens), BATCH):
            self._call(
                [
                    Entry(token, sequence, first + place, first + place == last)
                    for place, token in enumerate(tokens[first : first + BATCH])
                ]
            )

    def _call(self, entries: Sequence[Entry]) -> None:
        """One ``llama_decode``, waited for."""
        batch = self._batch
        batch.n_tokens = len(entries)
        for place, entry in enumerate(entries):
            batch.token[place], batch.pos[place] = entry.token, entry.position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, entry.sequence
            batch.logits[place] = entry.logits
        status = self._library.llama_decode(self._context, batch)
        if status:
            raise RuntimeError(f"llama_decode answered {status}")
        self._library.llama_synchronize(self._context)


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer every line until there is none."""
    worker = Worker()
    for line in requests:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # told to the other side, which decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve on stdin and stdout; what the library prints to stdout goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
